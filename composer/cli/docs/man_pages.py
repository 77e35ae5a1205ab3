"""Man pages from the command tree, in mdoc."""

from __future__ import annotations

import re
import textwrap

from composer.cli.docs.command_tree import Entry, Parameter

EXAMPLES = {
    "": (
        ("Compose a tune and listen to it:", "composer gen abc --format midi | timidity -"),
        ("Teach a model your own tunes, and let it compose:", "composer train abc tunes/ --name mine"),
        ("", "composer gen abc"),
    ),
    "gen": (
        ("Ten tunes into one file:", "composer gen abc --count 10 --output tunes.abc"),
        ("Ten MIDI files, a little tamer:", "composer gen abc --count 10 --temp 0.8 --output tune-%02d.mid"),
        ("Go on from an opening:", "composer gen abc --prime opening.abc"),
        ("Hear a piano-roll:", "composer gen pianoroll | timidity -"),
    ),
    "train": (
        ("From a folder of tunes:", "composer train abc tunes/ --name mine"),
        ("From a collection that comes with music21:", "composer train abc corpus:ryansMammoth --name ryan"),
        ("A published system, again:", "composer train abc nottingham/ --preset charrnn-abc"),
        ("Piano music in all keys:", "composer train pianoroll midi/ --augment --name mine"),
        ("Go on where a run was stopped:", "composer train abc tunes/ --name mine --resume"),
    ),
    "eval": (
        ("Your newest model, on tunes that it was not taught:", "composer eval abc others/"),
        (
            "A part of a list, as JSON:",
            "composer eval abc tunes/ --checkpoint mine --split list.txt --part test --json",
        ),
    ),
    "presets": (
        ("All of them:", "composer presets"),
        ("The values of one, and where each comes from:", "composer presets charrnn-abc"),
    ),
    "check": (
        ("A collection, before a model is taught it:", "composer check tunes/"),
        ("Mend what can be mended, beside each file:", "composer check tunes/ --fix"),
        ("What is worst, as a program reads it:", "composer check tunes/ --errors-only --json"),
    ),
    "originality": (
        ("What the bundled or your newest model composed:", "composer gen abc --count 10 | composer originality -"),
        ("Beside music of your own:", "composer originality tune.mid --corpus tunes/"),
        ("The notes of the longest run of each piece:", "composer originality tunes.abc --json | jq '.found[].notes'"),
    ),
    "replay": (
        ("The tune that is in a file, and whether it is still the same:", "composer replay tune.abc"),
        (
            "Many that were kept, without writing them:",
            "for file in tunes/*.mid; do composer replay --check $file; done",
        ),
    ),
    "show": (
        ("The tune just written:", "composer gen abc | composer show -"),
        ("What a model was taught:", "composer show mine.safetensors"),
    ),
    "plugins": (("", "composer plugins"),),
    "completions": (
        ("For bash, in ~/.bashrc:", "source <(composer completions bash)"),
        ("For fish:", "composer completions fish | source"),
    ),
}
"""For each command, what one may want and how to have it."""

ENVIRONMENT = {
    "COMPOSER_HOME": "The folder of your own models and of the cache, in place of the system's usual one.",
    "COMPOSER_DEVICE": "The device to compute on where --device is not given: auto, cpu, cuda or mps.",
    "COMPOSER_RENDEZVOUS_TIMEOUT": "How many seconds processes that train together wait for one another to come; 300.",
    "COMPOSER_DEBUG": "1 is as --debug.",
    "COMPOSER_STRICT_PLUGINS": "1 makes a plugin that does not load an error instead of a warning.",
    "NO_COLOR": "Where it is set, nothing is coloured.",
}

STATUS = {
    "0": "All went well.",
    "1": "Something went wrong with a file, a model, a plugin or the machine; no piece can have all that was wished;"
    " `check` found something, or `replay` is not what the file is.",
    "2": "The command line cannot be meant: no such option, setting or format, a value out of range, or options that"
    " exclude one another.",
    "130": "Ctrl-C.",
}


def page(entry: Entry, commands: list[Entry], date: str) -> str:
    """The man page of a command, or of the program with all its `commands`, as of `date` (`November 21, 2026`)."""
    title = f"composer-{entry.name}" if entry.name else "composer"
    lines = [
        f".Dd {date}",
        f".Dt {title.upper()} 1",
        ".Os",
        ".Sh NAME",
        f".Nm {title}",
        f".Nd {_text(entry.summary[:1].lower() + entry.summary[1:]).rstrip('.')}",
        ".Sh SYNOPSIS",
        *_synopsis(entry),
        ".Sh DESCRIPTION",
    ]
    for paragraph in entry.paragraphs:
        lines += [_text(paragraph), ".Pp"]
    lines.pop()
    if not entry.name:
        lines += [".Pp", "The commands are:", ".Bl -tag -width Ds"]
        for command in commands:
            lines += [f".It Cm {command.name}", _text(command.summary)]
        lines += [".El"]
    if entry.arguments:
        lines += [".Pp", "The arguments are:", ".Bl -tag -width Ds"]
        for argument in entry.arguments:
            lines += [f".It Ar {argument.metavar.rstrip('.')}", _text(argument.help)]
        lines += [".El"]
    lines += [".Pp", "The options are:", ".Bl -tag -width Ds"]
    for option in entry.options:
        lines += [_item(option), _text(option.help)]
    lines += [".El"]
    if not entry.name:
        lines += [".Sh ENVIRONMENT", *_list("Ev", ENVIRONMENT), ".Sh EXIT STATUS", *_list("Li", STATUS)]
    lines += [".Sh EXAMPLES", *_examples(entry.name)]
    others = [command.name for command in commands if entry.name == ""] or [""]
    names = [f".Xr composer{'-' * bool(name)}{name} 1" for name in sorted(others)]
    lines += [".Sh SEE ALSO", *(f"{name} ," for name in names[:-1]), names[-1], ""]
    return "\n".join(lines)


def _synopsis(entry: Entry) -> list[str]:
    if not entry.name:
        return [".Nm", ".Op Fl -version", ".Op Fl -debug", ".Ar command", ".Op Ar argument ..."]
    lines = [f".Nm composer {entry.name}", ".Op Ar options"]
    for argument in entry.arguments:
        name = argument.metavar.rstrip(".") + (" ..." if argument.repeated else "")
        lines.append(f".Ar {name}" if argument.required else f".Op Ar {name}")
    return lines


def _item(option: Parameter) -> str:
    flags = " , ".join(f"Fl {flag[1:]}" for flag in option.flags)
    value = f" Ar {option.metavar}" if option.metavar else ""
    return f".It {flags}{value}"


def _list(macro: str, rows: dict[str, str]) -> list[str]:
    lines = [".Bl -tag -width Ds"]
    for name, text in rows.items():
        lines += [f".It {macro} {name}", _text(text)]
    return [*lines, ".El"]


def _examples(name: str) -> list[str]:
    lines: list[str] = []
    for purpose, command in EXAMPLES[name]:
        lines += [_text(purpose)] if purpose else []
        lines += [f".Dl {_plain(command)}"]
    return lines


def _text(text: str) -> str:
    """Text that roff leaves as it is, in short lines; a new line for each sentence, as mdoc wants it."""
    sentences = re.split(r"(?<=\.) ", text)
    return "\n".join(_plain(line) for sentence in sentences for line in textwrap.wrap(sentence, 70))


def _plain(line: str) -> str:
    """A line of text with what roff would take for a command escaped."""
    for character, escape in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ('"', "\\(dq"), ("`", "\\(ga")):
        line = line.replace(character, escape)
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line
