"""`composer replay`: compose a piece again, by what its file says of how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from composer.api import ComposerError, ReadError, Source, UsageError

if TYPE_CHECKING:
    from composer.cli.console import Console


def replay(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `composer gen` wrote, or - for stdin.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-O", metavar="FILE", help="The file to write, not stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing: only say whether it is the same.")] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The model; else the one of yours, or bundled, that composed it."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but warnings and errors.")] = False,
) -> None:
    """Compose again what a file holds, by what it says of how it was made.

    ABC, MIDI and MusicXML say that, unless `composer gen` wrote them with --no-provenance. What comes of it goes to
    stdout; on stderr is said whether it is the file, byte for byte, and what is not as it was then. The exit code is 1
    where it is another.
    """
    from composer.cli.outputs import keep, save
    from composer.cli.replaying import again, difference
    from composer.core import threads
    from composer.formats import FORMATS, provenance

    console: Console = context.obj
    console.quiet = quiet
    if check and output is not None:
        raise UsageError("--check writes nothing, so that --output has nothing to hold", "leave out one of the two")
    if output is not None:
        keep(output, force=force)
    source = Source(Path("-"), "stdin", data=console.read_bytes()) if file == "-" else Source(Path(file), name=file)
    data = source.bytes()
    found = provenance.read(data, source.label)
    if not found:
        raise ReadError(
            f"{source.label} does not say how it was made",
            "ABC, MIDI and MusicXML say it that `composer gen` wrote, unless it was told --no-provenance",
        )
    threads.one_at_first()
    replayed = again(found, source.label, console, checkpoint)
    for line in replayed.changes:
        console.say(line)
    composed = replayed.data(data)
    if output is not None:
        save(output, composed)
        console.say(f"wrote {output}")
    elif not check and not (console.draws and FORMATS[replayed.format].binary):
        console.write_bytes(composed)
    if composed != data:
        raise ComposerError(
            f"{source.label} is not what is composed again: {difference(data, composed, replayed.format)}",
            "it was changed afterwards, or composed where what is said above was otherwise"
            if replayed.changes
            else "it was changed afterwards, or composed on another kind of processor",
        )
    console.say(f"{source.label} is what is composed again, byte for byte")
