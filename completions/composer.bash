_composer_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_COMPOSER_COMPLETE=complete_bash _COMPOSER_LINE="${COMP_LINE:0:COMP_POINT}" \
        _COMPOSER_WORD="${COMP_WORDS[COMP_CWORD]}" "$1" 2>/dev/null)
}

complete -o default -F _composer_completion composer
