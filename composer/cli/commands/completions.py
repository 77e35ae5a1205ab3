"""`composer completions`: scripts with which bash, zsh, fish and PowerShell complete this program's commands.

Options and words stand in the scripts; the names of plugins and presets are asked of the program when they
are needed, so that other people's plugins are completed too.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from typing import Annotated

import typer

from composer.api import UsageError
from composer.cli.docs import command_tree as tree
from composer.cli.docs.command_tree import FILES, LISTS, Entry, Parameter, words_for


def completions(
    context: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")],
) -> None:
    """Print the script with which a shell completes this program.

    bash: source <(composer completions bash). zsh: write it to a file _composer in a folder of $fpath.
    fish: composer completions fish | source. PowerShell: composer completions powershell | Out-String |
    Invoke-Expression.
    """
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for `{shell}`", f"there is one for {', '.join(SCRIPTS)}")
    context.obj.write(script(shell))


def script(shell: str) -> str:
    """The completion script for `shell`."""
    return SCRIPTS[shell](tree.program(), tree.commands())


def _bash(program: Entry, commands: list[Entry]) -> str:
    lines = [
        "# bash completion for composer; made by `make docs`",
        "_composer() {",
        '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" command="" at=0 words="" index',
        '    [[ $cur == "=" ]] && cur=""',
        '    [[ $prev == "=" ]] && prev="${COMP_WORDS[COMP_CWORD-2]}"',
        "    for ((index = 1; index < COMP_CWORD; index++)); do",
        '        case "${COMP_WORDS[index]}" in',
        f"            {'|'.join(entry.name for entry in commands)})",
        '                command="${COMP_WORDS[index]}" at=$index',
        "                break ;;",
        "        esac",
        "    done",
        '    case "$command $prev" in',
    ]
    for entry in commands:
        replies: dict[str, list[str]] = {}
        for option in entry.options:
            if option.metavar:
                replies.setdefault(_bash_reply(option), []).extend(f'"{entry.name} {flag}"' for flag in option.flags)
        lines += [f"        {'|'.join(patterns)}) {reply}return ;;" for reply, patterns in replies.items()]
    lines += ["    esac", '    case "$command" in']
    for entry in commands:
        flags = " ".join(flag for option in entry.options for flag in option.flags)
        lines.append(f'        {entry.name}) words="{flags}" ;;')
    flags = " ".join(flag for option in program.options for flag in option.flags)
    lines += [
        f'        *) words="{flags} {" ".join(entry.name for entry in commands)}" ;;',
        "    esac",
        "    if [[ -z $command || $cur == -* ]]; then",
        '        COMPREPLY=($(compgen -W "$words" -- "$cur"))',
        "        return",
        "    fi",
        '    case "$command $((COMP_CWORD - at))" in',
    ]
    for entry in commands:
        if entry.arguments and (reply := _bash_reply(entry.arguments[0])):
            lines.append(f'        "{entry.name} 1") {reply};;')
    lines += ["    esac", "}", "complete -o default -F _composer composer", ""]
    return "\n".join(lines)


def _bash_reply(parameter: Parameter) -> str:
    """What sets the reply; nothing for files, which `complete -o default` sees to."""
    if words := words_for(parameter.metavar):
        return f'COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$cur")); '
    if listing := LISTS.get(parameter.metavar):
        return f'COMPREPLY=($(compgen -W "$(composer {listing} --names 2>/dev/null)" -- "$cur")); '
    return ""


def _zsh(program: Entry, commands: list[Entry]) -> str:
    lines = ["#compdef composer", "# zsh completion for composer; made by `make docs`", ""]
    for listing in LISTS.values():
        kind = listing.split()[-1]
        lines += [
            f"_composer_{kind}() {{",
            f'    local names=(${{(f)"$(composer {listing} --names 2>/dev/null)"}})',
            f"    _describe {kind} names",
            "}",
            "",
        ]
    lines += [
        "_composer() {",
        '    local curcontext="$curcontext" state line',
        "    local -a commands",
        "    commands=(",
    ]
    lines += [f"        {_quote(f'{entry.name}:{entry.summary}')}" for entry in commands]
    lines += ["    )", "    _arguments -C \\"]
    lines += [f"        {_zsh_option(option)} \\" for option in program.options]
    lines += [
        "        '1: :->command' \\",
        "        '*:: :->arguments'",
        "    case $state in",
        "        command) _describe command commands ;;",
        "        arguments)",
        "            case $words[1] in",
    ]
    for entry in commands:
        lines.append(f"                {entry.name})")
        specs = [_zsh_option(option) for option in entry.options]
        specs += [_zsh_argument(at, argument) for at, argument in enumerate(entry.arguments, 1)]
        lines += ["                    _arguments -s \\"]
        lines += [f"                        {spec} \\" for spec in specs[:-1]]
        lines += [f"                        {specs[-1]} ;;"]
    lines += ["            esac ;;", "    esac", "}", ""]
    lines += ['if [[ $funcstack[1] == _composer ]]; then _composer "$@"; else compdef _composer composer; fi', ""]
    return "\n".join(lines)


def _zsh_option(option: Parameter) -> str:
    text = option.help.replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    value = f":{option.metavar.lower()}:{_zsh_action(option)}" if option.metavar else ""
    flags = [flag + ("=" if option.metavar and flag.startswith("--") else "") for flag in option.flags]
    body = f"[{text}]{value}"
    if option.repeated:
        return " ".join(_quote(f"*{flag}{body}") for flag in flags)
    if len(flags) == 1:
        return _quote(flags[0] + body)
    return f"'({' '.join(option.flags)})'{{{','.join(flags)}}}{_quote(body)}"


def _zsh_argument(at: int, argument: Parameter) -> str:
    place = "*" if argument.repeated else str(at) if argument.required else f"{at}:"
    return _quote(f"{place}:{argument.metavar.lower().rstrip('.')}:{_zsh_action(argument)}")


def _zsh_action(parameter: Parameter) -> str:
    if words := words_for(parameter.metavar):
        return f"({' '.join(words)})"
    if listing := LISTS.get(parameter.metavar):
        return f"_composer_{listing.split()[-1]}"
    return "_files" if parameter.metavar in FILES else " "


def _fish(program: Entry, commands: list[Entry]) -> str:
    lines = ["# fish completion for composer; made by `make docs`", "complete -c composer -f"]
    lines += [_fish_option("__fish_use_subcommand", option) for option in program.options]
    lines += [
        f"complete -c composer -n __fish_use_subcommand -a {entry.name} -d {_quote(entry.summary)}"
        for entry in commands
    ]
    for entry in commands:
        seen = f"__fish_seen_subcommand_from {entry.name}"
        lines += [_fish_option(seen, option) for option in entry.options]
        for argument in entry.arguments:
            lines.append(f"complete -c composer -n {_quote(seen)}{_fish_value(argument)}")
    return "\n".join([*lines, ""])


def _fish_option(condition: str, option: Parameter) -> str:
    short = f" -s {option.short}" if option.short else ""
    long = f" -l {option.long}" if len(option.long) > 1 else ""
    value = _fish_value(option, " -x") if option.metavar else ""
    return f"complete -c composer -n {_quote(condition)}{short}{long}{value} -d {_quote(option.help)}"


def _fish_value(parameter: Parameter, exclusive: str = "") -> str:
    if words := words_for(parameter.metavar):
        return f"{exclusive} -a {_quote(' '.join(words))}"
    if listing := LISTS.get(parameter.metavar):
        return f"{exclusive} -a {_quote(f'(composer {listing} --names 2>/dev/null)')}"
    if parameter.metavar in FILES:
        return " -r -F" if exclusive else " -F"
    return exclusive


def _powershell(program: Entry, commands: list[Entry]) -> str:
    lines = [
        "# PowerShell completion for composer; made by `make docs`",
        "Register-ArgumentCompleter -Native -CommandName composer -ScriptBlock {",
        "    param($word, $tree, $position)",
        "    $names = @{",
        *(f"        {_single(entry.name)} = {_single(entry.summary)}" for entry in commands),
        "    }",
        "    $options = @{",
    ]
    for entry in [program, *commands]:
        lines.append(f"        {_single(entry.name)} = @{{")
        lines += [f"            {_single(o.flags[-1])} = {_single(o.help)}" for o in entry.options]
        lines.append("        }")
    lines += ["    }", "    $values = @{"]
    for entry in commands:
        for parameter in (*entry.options, *entry.arguments[:1]):
            flag = parameter.flags[-1] if parameter.flags else ""
            if words := words_for(parameter.metavar):
                found = f"@({', '.join(_single(word) for word in words)})"
            elif listing := LISTS.get(parameter.metavar):
                found = f"{{ composer {listing} --names }}"
            else:
                continue
            lines.append(f"        {_single(f'{entry.name} {flag}')} = {found}")
    lines += [
        "    }",
        "    $given = @($tree.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })",
        "    if ($word -and $given.Count -gt 0) { $given = @($given | Select-Object -SkipLast 1) }",
        "    $command = $given | Where-Object { $names.ContainsKey($_) } | Select-Object -First 1",
        "    $table = if ($word -like '-*') { $options[\"$command\"] } elseif (-not $command) { $names } else { @{} }",
        "    $last = if ($given.Count -gt 0 -and $given[-1] -like '-*') { $given[-1] } else { '' }",
        "    $found = if ($command -and $word -notlike '-*') { $values[\"$command $last\"] }",
        "    if ($found -is [scriptblock]) { $found = & $found }",
        "    foreach ($value in $found) { $table[$value] = $value }",
        '    $table.GetEnumerator() | Where-Object { $_.Key -like "$word*" } | Sort-Object Key | ForEach-Object {',
        "        [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _quote(text: str) -> str:
    """A word for bash, zsh and fish."""
    return "'" + text.replace("'", "'\\''") + "'"


def _single(text: str) -> str:
    """A literal string for PowerShell."""
    return "'" + text.replace("'", "''") + "'"


SCRIPTS = {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell}
