"""The scripts that `composer completions` prints.

A script runs the program with the command line up to the cursor in the environment. The program prints a line for each
candidate: in bash as it is to be typed, in zsh and fish with a tab and its explanation. If there are none, the shell
completes files. Nothing that the program prints is evaluated. The script for PowerShell is typer's.
"""

from __future__ import annotations

import re

SHELLS = ("bash", "zsh", "fish", "powershell")

VARIABLE = "_COMPOSER_COMPLETE"
"""The environment variable that holds what a script asks for, such as `complete_bash`."""
LINE, WORD = "_COMPOSER_LINE", "_COMPOSER_WORD"
"""Environment variables with the command line up to the cursor, and with the word that bash replaces, its last part."""

_BASH = f"""\
_composer_completion() {{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <({VARIABLE}=complete_bash {LINE}="${{COMP_LINE:0:COMP_POINT}}" \\
        {WORD}="${{COMP_WORDS[COMP_CWORD]}}" "$1" 2>/dev/null)
}}

complete -o default -F _composer_completion composer
"""

_ZSH = f"""\
#compdef composer

_composer_completion() {{
  local line value
  local -a candidates
  local typed="${{(j: :)words[1,CURRENT-1]}} $QIPREFIX$IPREFIX$PREFIX"
  for line in "${{(@f)$({VARIABLE}=complete_zsh {LINE}="$typed" composer 2>/dev/null)}}"; do
    value=${{line%%$'\\t'*}}
    value=${{value//\\\\/\\\\\\\\}}
    [[ -z $value ]] || candidates+=("${{value//:/\\\\:}}${{${{line#*$'\\t'}}:+:${{line#*$'\\t'}}}}")
  done
  if (( $#candidates )); then
    _describe -V composer candidates
  else
    _files
  fi
}}

# loaded at the first Tab, the file is the completion; else it defines one
if [[ $funcstack[1] == _composer ]]; then _composer_completion "$@"; else compdef _composer_completion composer; fi
"""

_FISH = f"""\
function __composer_complete
    set -l typed (commandline -cp | string collect)
    set -l found (env {VARIABLE}=complete_fish {LINE}="$typed" composer 2>/dev/null)
    if test -n "$found[1]"
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete --command composer --no-files --keep-order --arguments "(__composer_complete)"
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """Return the completion script for `shell`."""
    if shell in _SCRIPTS:
        return _SCRIPTS[shell]
    from typer._completion_shared import get_completion_script

    text = get_completion_script(prog_name="composer", complete_var=VARIABLE, shell=shell) + "\n"
    # what Tab does elsewhere is the user's choice
    return re.sub(r"^(Import-Module|Set-PSReadLineKeyHandler).*\n", "", text, flags=re.M)
