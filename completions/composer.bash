# bash completion for composer; made by `make docs`
_composer() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" command="" at=0 words="" index
    [[ $cur == "=" ]] && cur=""
    [[ $prev == "=" ]] && prev="${COMP_WORDS[COMP_CWORD-2]}"
    for ((index = 1; index < COMP_CWORD; index++)); do
        case "${COMP_WORDS[index]}" in
            gen|train|eval|presets|check|originality|replay|show|plugins|completions)
                command="${COMP_WORDS[index]}" at=$index
                break ;;
        esac
    done
    case "$command $prev" in
        "gen -n"|"gen --count"|"gen --length"|"gen --seed"|"gen --temp"|"gen --top-k"|"gen --top-p"|"gen --min-p"|"gen --condition"|"gen --max-copy"|"gen --take"|"gen --keep"|"gen --by"|"gen --prime"|"gen --prime-text"|"gen -O"|"gen --output"|"gen --title"|"gen --tempo"|"gen --instrument"|"gen --velocity"|"gen --checkpoint"|"gen --width") return ;;
        "gen --format") COMPREPLY=($(compgen -W "abc midi musicxml tokens text" -- "$cur")); return ;;
        "gen --device") COMPREPLY=($(compgen -W "auto cpu cuda mps" -- "$cur")); return ;;
        "train -o"|"train --option"|"train --valid"|"train --split"|"train --epochs"|"train --max-updates"|"train --batch-size"|"train --lr"|"train --seed"|"train --set"|"train --name"|"train --from"|"train --snapshots"|"train --log-dir") return ;;
        "train --preset") COMPREPLY=($(compgen -W "$(composer presets --names 2>/dev/null)" -- "$cur")); return ;;
        "train --model") COMPREPLY=($(compgen -W "$(composer plugins models --names 2>/dev/null)" -- "$cur")); return ;;
        "train --device") COMPREPLY=($(compgen -W "auto cpu cuda mps" -- "$cur")); return ;;
        "eval --checkpoint"|"eval --split"|"eval --part"|"eval --effort"|"eval --generated"|"eval --seed"|"eval --temp") return ;;
        "eval --device") COMPREPLY=($(compgen -W "auto cpu cuda mps" -- "$cur")); return ;;
        "originality --checkpoint"|"originality --corpus") return ;;
        "replay -O"|"replay --output"|"replay --checkpoint") return ;;
        "show --tune"|"show --most"|"show --checkpoint") return ;;
    esac
    case "$command" in
        gen) words="-n --count --length --seed --temp --top-k --top-p --min-p --condition --free --max-copy --take --keep --by --prime --prime-text --format -O --output --force --resume --title --tempo --instrument --velocity --no-provenance --checkpoint --device --width -q --quiet -h --help" ;;
        train) words="-o --option --valid --split --augment --preset --model --epochs --max-updates --batch-size --lr --seed --set --device --name --resume --from --snapshots --log-dir --force --json -q --quiet -h --help" ;;
        eval) words="--checkpoint --split --part --effort --stream --generated --seed --temp --device --json -q --quiet -h --help" ;;
        presets) words="--names -h --help" ;;
        check) words="--fix --force --errors-only --json -q --quiet -h --help" ;;
        originality) words="--checkpoint --corpus --json -q --quiet -h --help" ;;
        replay) words="-O --output --force --check --checkpoint -q --quiet -h --help" ;;
        show) words="--tune --most --surprise --checkpoint -h --help" ;;
        plugins) words="--names -h --help" ;;
        completions) words="-h --help" ;;
        *) words="--version --debug -h --help gen train eval presets check originality replay show plugins completions" ;;
    esac
    if [[ -z $command || $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        return
    fi
    case "$command $((COMP_CWORD - at))" in
        "gen 1") COMPREPLY=($(compgen -W "$(composer plugins representations --names 2>/dev/null)" -- "$cur")); ;;
        "train 1") COMPREPLY=($(compgen -W "$(composer plugins representations --names 2>/dev/null)" -- "$cur")); ;;
        "eval 1") COMPREPLY=($(compgen -W "$(composer plugins representations --names 2>/dev/null)" -- "$cur")); ;;
        "presets 1") COMPREPLY=($(compgen -W "$(composer presets --names 2>/dev/null)" -- "$cur")); ;;
        "plugins 1") COMPREPLY=($(compgen -W "representations models" -- "$cur")); ;;
        "completions 1") COMPREPLY=($(compgen -W "bash zsh fish powershell" -- "$cur")); ;;
    esac
}
complete -o default -F _composer composer
