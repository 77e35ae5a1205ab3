"""`composer replay`: reproduce a generated file."""

import shlex
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import ComposerError, Source, UsageError
from composer.api.fields import option
from composer.cli.options_from import OptionsCommand
from composer.formats import FORMATS, detect, format_named, format_of, provenance

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.formats import Format


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Options of `composer replay`."""

    file: str = option(help="A file that `composer gen` wrote, or - for stdin.", argument="FILE")
    output: Path | None = option(None, "Output file. [default: stdout]", "-o", metavar="FILE")
    force: bool = option(False, "Overwrite an existing file.")
    check: bool = option(False, "Only compare; write nothing.")
    checkpoint: Path | None = option(None, "Model name or file. [default: the recorded one]", "-c", metavar="NAME")
    quiet: bool = option(False, "Print only warnings and errors.", "-q")


def replay(console: "Console", options: ReplayOptions) -> None:
    """Reproduce a generated file from its recorded settings.

    ABC, MIDI and MusicXML files record these settings, unless they were written with --no-provenance. The result goes
    to stdout or to --output. Messages on stderr say whether it is identical, byte for byte, and whether the program or
    the model has changed since. The exit status is 1 if the result differs. If `composer convert` or `composer
    harmonize` changed the file, the result is the piece as it was generated.
    """
    from composer.cli.gen.replay import reproduce
    from composer.cli.output.files import check_replaceable, new_folder_note, reserved
    from composer.system.threads import default_to_one_thread

    console.quiet, output = options.quiet, options.output
    if options.check and output is not None:
        raise UsageError(
            "--check and --output cannot be used together", "leave out one of them", flags=("--check", "--output")
        )
    if output is not None:
        check_replaceable(output, force=options.force)
    name = options.file
    source = Source(Path("-"), "stdin", data=console.read_bytes()) if name == "-" else Source(Path(name), name=name)
    found = _read_provenance(source)
    if output is not None:
        _check_suffix(output, source, found[0])
    default_to_one_thread()
    note = new_folder_note(output.parent) if output is not None else ""
    with reserved(output) if output is not None else nullcontext():
        recorded, size = [each.as_generated() for each in found], len(source.bytes())
        replayed = reproduce(recorded, source.label, size, console, options.checkpoint)
        for line in replayed.changes:
            console.say(line)
        if not options.check:
            _write(replayed.data(source.bytes()), replayed.format, options, console, note)
    if differs := replayed.difference(source.bytes()):
        if command := next((each.facts["changed_by"] for each in found if "changed_by" in each.facts), ""):
            original = f"original{_original_format(source, found[0]).suffixes[0]}"
            hint = f"write the piece as it was generated: {shlex.join(['composer', 'replay', name, '-o', original])}"
            raise ComposerError(f"{source.label} was changed by `composer {command}` after it was generated", hint)
        cause = "the changes above" if replayed.changes else "another kind of processor"
        hint = f"restore the file if it was edited; {cause} can also explain the difference"
        raise ComposerError(f"{source.label} was not reproduced: {differs}", hint)
    console.say(f"{source.label}: reproduced exactly")


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("replay", replay, ReplayOptions, summary)


def _read_provenance(source: Source) -> Sequence[provenance.Provenance]:
    """Return the provenance of each piece in a file. Raises ReadError if there is none."""
    if found := provenance.read(source.bytes(), source.label):
        return found
    raise provenance.missing(source.label)


def _original_format(source: Source, made_by: provenance.Provenance) -> "Format":
    """Return the format that the file was generated in: its own, unless it was converted since."""
    recorded = FORMATS.get(str(made_by.facts.get("format"))) if "changed_by" in made_by.facts else None
    return recorded or detect(source.bytes()) or FORMATS["abc"]


def _check_suffix(output: Path, source: Source, made_by: provenance.Provenance) -> None:
    """Raise UsageError if the suffix of `output` is that of another format."""
    expected, named = _original_format(source, made_by), format_of(output)
    if output.suffix and named != expected:
        was = "was generated as" if "changed_by" in made_by.facts else "is"
        raise UsageError(
            f"{source.label} {was} {expected.summary.partition(',')[0]}, so the output cannot be {output}",
            f"use --output {output.stem}{expected.suffixes[0]}",
        )


def _write(data: bytes, format_name: str, options: ReplayOptions, console: "Console", note: str) -> None:
    """Write the result; binary never goes to a terminal."""
    from composer.cli.output.files import save

    output = options.output
    if output is not None:
        save(output, data, replace=options.force)
        console.say(f"wrote {output}{note}")
    elif not (console.stdout_is_terminal and format_named(format_name).binary):
        console.write_bytes(data)
