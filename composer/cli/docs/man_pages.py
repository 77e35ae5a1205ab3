"""Man pages of the commands, from the command tree, and of the manual's pages, in mdoc."""

from __future__ import annotations

import inspect
from typing import Any

from composer.cli.app import command_tree
from composer.cli.command import COMMANDS, build
from composer.cli.docs import pages
from composer.cli.docs.mdoc import from_markdown, heading, literal, prose, see_also, tagged
from composer.cli.options_from import parameters
from composer.registry import plugins as registry

EXAMPLES = {
    "": (
        ("Generate a tune and listen to it:", "composer gen abc --play"),
        ("Train a model on your own tunes and generate with it:", "composer train abc tunes/ --name mine"),
        ("", "composer gen abc --checkpoint mine"),
    ),
    "gen": (
        ("Write ten tunes to one file:", "composer gen abc --count 10 --output tunes.abc"),
        ("Write a jig of 16 bars in D:", "composer gen abc --rhythm jig --key D --bars 16"),
        ("Write ten MIDI files at a lower temperature:", "composer gen abc -n 10 --temp 0.8 -o tune-%02d.mid"),
        ("Continue the music in a file, the primer:", "composer gen abc --prime primer.abc"),
        ("Listen to a chorale of eight bars:", "composer gen pianoroll --bars 8 | timidity -"),
    ),
    "train": (
        ("Train on a folder of tunes:", "composer train abc tunes/ --name mine"),
        ("Train on a collection that comes with music21:", "composer train abc corpus:ryansMammoth --name ryan"),
        ("Train on piano music in many keys:", "composer train pianoroll midi/ --augment --name piano"),
        ("Reproduce a published system:", "composer train abc nottingham/ --preset charrnn-abc"),
        ("Resume a training run:", "composer train abc tunes/ --name mine --resume"),
    ),
    "eval": (
        ("Evaluate the model that gen uses on other tunes:", "composer eval abc others/"),
        (
            "Evaluate on the test part of a split, as JSON:",
            "composer eval abc tunes/ --split split.txt --part test --json",
        ),
        ("Compare 200 generated tunes with a collection:", "composer eval abc others/ --generated 200"),
    ),
    "harmonize": (
        ("Add three voices below a melody:", "composer harmonize tune.abc --output chorale.mid"),
        ("Write chord symbols over a tune:", "composer harmonize tune.abc --style chords --output tune.chords.abc"),
    ),
    "presets": (
        ("List all presets:", "composer presets"),
        ("Print a preset, with the source of each value:", "composer presets charrnn-abc"),
    ),
    "check": (
        ("Check a collection before training on it:", "composer check tunes/"),
        ("Write a repaired copy beside each file:", "composer check tunes/ --fix"),
        ("Print errors only, as JSON:", "composer check tunes/ --errors-only --json"),
    ),
    "originality": (
        ("Compare ten new tunes with the training data:", "composer gen abc --count 10 | composer originality -"),
        ("Compare with your own collection:", "composer originality tune.mid --corpus tunes/"),
        (
            "Print the length of the longest copied run in each tune:",
            "composer originality tunes.abc --json | jq '.found[].notes'",
        ),
    ),
    "similar": (
        ("Find tunes like yours in the training data:", "composer similar tune.abc"),
        ("Compare with your own collection:", "composer similar tune.mid --corpus tunes/"),
    ),
    "map": (
        ("Draw a map of a collection of music21:", "composer map corpus:ryansMammoth -o ryan.svg"),
        ("Divide two folders of tunes into six clusters:", "composer map jigs/ reels/ --clusters 6 -o map.svg"),
    ),
    "convert": (
        ("Write MIDI as ABC:", "composer convert tune.mid -o tune.abc"),
        ("Write each tune of a collection as MIDI:", "composer convert jigs.abc -o jigs/ --to midi"),
        ("Collect a folder of MIDI files in one file of ABC:", "composer convert midi/ -o all.abc"),
        ("Listen to a score:", "composer convert score.musicxml --to midi | timidity -"),
    ),
    "replay": (
        ("Reproduce a tune:", "composer replay tune.abc"),
        ("Check that files can be reproduced:", 'for file in tunes/*.mid; do composer replay --check "$file"; done'),
    ),
    "play": (
        ("Play a tune, and follow it in the piano roll:", "composer play tune.abc"),
        ("Play through a MIDI port:", "composer play chorale.mid --port synth"),
        ("Write a WAV file with the built-in synthesizer:", "composer play tune.abc -o tune.wav --soundfont none"),
    ),
    "jam": (
        ("Play folk tunes without end:", "composer jam abc"),
        ("Answer a keyboard with melodies in 3/4:", "composer jam grid --in keystation --meter 3/4 --tempo 100"),
        ("Play chorales for a minute:", "composer jam pianoroll --port synth --seconds 60"),
    ),
    "open": (
        ("Open a tune in the browser:", "composer open tune.abc"),
        ("Compare new tunes side by side:", "composer gen abc --count 3 | composer open -"),
        ("Write a page to send to the band:", "composer open set.abc -o set.html"),
    ),
    "show": (
        ("Draw a new tune:", "composer gen abc | composer show -"),
        ("Show what single units of a model respond to:", "composer show tune.abc --units --checkpoint mine"),
        ("Print the model card of a trained model:", "composer show mine"),
        ("Draw a tune as sheet music:", "composer show tune.abc -o tune.pdf"),
        ("Draw a piano roll colored by surprisal:", "composer show tune.mid --surprise -o roll.png"),
        ("Draw the training curve of a model:", "composer show mine -o curve.svg"),
    ),
    "models": (
        ("List all models:", "composer models"),
        ("Use your own model in gen, eval and harmonize:", "composer models use mine"),
        ("Use the bundled one again:", "composer models use abc"),
        ("Give a model to others:", "composer models export mine mine.safetensors"),
        ("See what training states and snapshots take, and remove them:", "composer models prune"),
    ),
    "config": (
        ("Generate tunes at a lower temperature by default:", "composer config set gen.abc.temp 0.8"),
        ("Show what is set, and where:", "composer config"),
        ("List what can be set for gen:", "composer config list gen"),
        ("Run a command without these defaults:", "COMPOSER_CONFIG= composer gen abc"),
    ),
    "plugins": (
        ("List all plugins and your models:", "composer plugins"),
        ("List the settings of a model:", "composer plugins lstm"),
        ("List all file formats:", "composer plugins formats"),
        ("Test a representation on your own files:", "composer plugins check abc tunes/*.abc"),
        ("Start your own representation:", "composer plugins new chords --kind representation"),
    ),
    "completions": (
        ("In bash, in ~/.bashrc:", "source <(composer completions bash)"),
        ("In fish, in ~/.config/fish/config.fish:", "composer completions fish | source"),
    ),
    "help": (("Start here:", "composer help tutorial"), ("List the options of a command:", "composer help train")),
    "version": (("", "composer version"),),
}
"""For each command, tasks and the command lines that do them."""

ENVIRONMENT = {
    "COMPOSER_HOME": "Folder for your models and the cache, instead of the system's usual folders.",
    "COMPOSER_LIMITS": "Factor, 1 to 1,000, that multiplies the limits on the size of input. [default: 1]",
    "COMPOSER_CONFIG": "Configuration file, instead of the usual one; empty for none.",
    "COMPOSER_DEVICE": "Default of --device: auto, cpu, cuda or mps.",
    "COMPOSER_RENDEZVOUS_TIMEOUT": "Seconds that training processes wait for each other at the start. [default: 300]",
    "COMPOSER_DEBUG": "1 is the same as --debug.",
    "COMPOSER_STRICT_PLUGINS": "If 1, a plugin that fails to load causes an error, not a warning.",
    "NO_COLOR": "If set, output has no colors.",
    "PAGER": "Program that shows long pages of composer help on a terminal. [default: less]",
}

STATUS = {
    "0": "Success.",
    "1": "An error in a file, model or plugin; a system error; controls that no piece can satisfy; check found a"
    " problem, or replay did not reproduce the file.",
    "2": "A usage error: an unknown command, option, setting or format, a value out of range, or options that exclude"
    " each other.",
    "129, 130, 143": "Interrupted by SIGHUP, Ctrl-C or SIGTERM. Training saves its state and its best model first.",
    "141": "Training was stopped because nobody reads the output of --json anymore. It is saved too.",
}


def command_page(name: str, date: str) -> str:
    """Return the page of a command, or of the program if `name` is empty, as of `date` (`November 21, 2026`)."""
    title = f"composer-{name}" if name else "composer"
    command = build(name) if name else command_tree()
    summary = COMMANDS[name] if name else "Generate music in the terminal."
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param not in arguments and not param.hidden]
    lines = heading(title, 1, summary[0].lower() + summary[1:].rstrip("."), date)
    lines += [".Sh SYNOPSIS", f".Nm {title.replace('-', ' ')}", ".Op Ar options"]
    lines += [_synopsis(argument) for argument in arguments] if name else [".Ar command", ".Op Ar argument ..."]
    lines.append(".Sh DESCRIPTION")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        lines += [*prose(paragraph), ".Pp"]
    if not name:
        lines += ["The commands are:", *tagged([(f"Cm {each}", text) for each, text in COMMANDS.items()]), ".Pp"]
    if arguments:
        rows = [(f"Ar {argument.metavar.rstrip('.')}", argument.help) for argument in arguments]
        lines += ["The arguments are:", *tagged(rows), ".Pp"]
    if name == "gen":
        options += _controls()
    general = [(_flags(option), _explanation(option)) for option in options if not option.rich_help_panel]
    lines += ["The options are:", *tagged([*general, ("Fl h , Fl -help", "Show this help.")])]
    for panel in dict.fromkeys(option.rich_help_panel for option in options if option.rich_help_panel):
        rows = [(_flags(option), _explanation(option)) for option in options if option.rich_help_panel == panel]
        lines += [f".Ss {panel}", *tagged(rows)]
    if name and hasattr(command, "commands"):
        lines.append(".Sh COMMANDS")
        lines += [line for subcommand in command.commands.values() for line in _subcommand(name, subcommand)]
    if not name:
        lines += [".Sh ENVIRONMENT", *tagged([(f"Ev {variable}", text) for variable, text in ENVIRONMENT.items()])]
        lines += [".Sh EXIT STATUS", *tagged([(f"Li {code}", text) for code, text in STATUS.items()])]
    lines.append(".Sh EXAMPLES")
    for purpose, example in EXAMPLES[name]:
        lines += [*prose(purpose), f".Dl {literal(example)}"]
    if name:
        return "\n".join([*lines, *see_also([("composer", 1)])])
    others = [*((f"composer-{each}", 1) for each in COMMANDS), *((f"composer-{each}", 7) for each in pages.summaries())]
    return "\n".join([*lines, *see_also(others)])


def _subcommand(name: str, command: Any) -> list[str]:
    """Return the section of a subcommand of the command `name`: its synopsis, description and options."""
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    rows = [(f"Ar {each.metavar.rstrip('.')}", each.help) for each in arguments]
    rows += [(_flags(param), _explanation(param)) for param in command.params if param not in arguments]
    lines = [f".Ss composer {name} {command.name}", *(_synopsis(argument) for argument in arguments)]
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        # mandoc warns of a break right after the heading
        lines += [*([".Pp"] if number or arguments else []), *prose(paragraph)]
    return [*lines, *(tagged(rows) if rows else [])]


def manual_page(name: str, date: str) -> str:
    """Return the page `name` of the manual."""
    known = pages.summaries()
    lines = heading(f"composer-{name}", 7, known[name], date)
    lines += from_markdown(pages.text(name))
    others = [(f"composer-{other}", 7) for other in known if other != name]
    return "\n".join([*lines, *see_also([("composer", 1), *others])])


def _repeated(name: str) -> str:
    """Return what stands for a value; dots after it are an argument of their own, as man pages have them."""
    return name.replace("...", " ...")


def _synopsis(argument: Any) -> str:
    name = _repeated(f"{argument.metavar.rstrip('.')}{'...' * (argument.nargs == -1)}")
    return f".Ar {name}" if argument.required else f".Op Ar {name}"


def _controls() -> list[Any]:
    """Return the controls of the built-in representations as options."""
    own = (loaded for loaded in registry.load_all() if loaded.plugin.distribution.startswith("composer-cli "))
    kinds = (loaded.representation for loaded in own)
    return [option for kind in kinds if kind for option in parameters(kind.Controls, f"Controls of {kind.name}")]


def _explanation(option: Any) -> str:
    """Return an option's help, with its default."""
    text = option.help or ""
    shown = option.default not in (None, False, "", [], ()) and "[default:" not in text
    return f"{text} [default: {option.default}]" if shown else text


def _flags(option: Any) -> str:
    value = "" if option.is_flag else f" Ar {_repeated(option.metavar) if option.multiple else option.metavar}"
    return " , ".join(f"Fl {flag[1:]}" for flag in sorted(option.opts, key=len)) + value
