"""`composer replay`: compose a piece again, by what its file says of how it was made.

The annotations are no strings, since typer would compile each of them twice at every start.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from composer.api import ComposerError, ReadError, Source, UsageError
from composer.cli.console import Console
from composer.formats import FORMATS, detect, format_of, provenance


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
    from composer.cli.gen.replay import again
    from composer.cli.output.files import keep
    from composer.system import blas_threads

    console: Console = context.obj
    console.quiet = quiet
    if check and output is not None:
        raise UsageError("--check writes nothing, so that --output has nothing to hold", "leave out one of the two")
    if output is not None:
        keep(output, force=force)
    source = Source(Path("-"), "stdin", data=console.read_bytes()) if file == "-" else Source(Path(file), name=file)
    found = _told(source)
    if output is not None:
        _check_suffix(output, source)
    blas_threads.one_at_first()
    replayed = again(found, source.label, console, checkpoint)
    for line in replayed.changes:
        console.say(line)
    if not check:
        _deliver(replayed.data(source.bytes()), replayed.format, output, console)
    if differs := replayed.difference(source.bytes()):
        raise ComposerError(
            f"{source.label} is not what is composed again: {differs}",
            "it was changed afterwards, or composed where what is said above was otherwise"
            if replayed.changes
            else "it was changed afterwards, or composed on another kind of processor",
        )
    console.say(f"{source.label} is what is composed again, byte for byte")


def _told(source: Source) -> Sequence[provenance.Provenance]:
    """What each piece of a file says of how it was made. Raises ReadError where none says anything."""
    if found := provenance.read(source.bytes(), source.label):
        return found
    raise ReadError(
        f"{source.label} does not say how it was made",
        "ABC, MIDI and MusicXML say it that `composer gen` wrote, unless it was told --no-provenance",
    )


def _check_suffix(output: Path, source: Source) -> None:
    """Raise UsageError where the name of `output` is that of another format than the source has."""
    form, named = detect(source.bytes()) or FORMATS["abc"], format_of(output)
    if output.suffix and named != form:
        raise UsageError(
            f"{source.label} is {form.name}, and is composed again as that, which {output} does not say",
            f"name a file that ends in {form.suffixes[0]}",
        )


def _deliver(data: bytes, form: str, output: Path | None, console: Console) -> None:
    """Write what was composed again to where it goes; a terminal cannot play what is binary."""
    from composer.cli.output.files import making, save

    if output is not None:
        made = making(output.parent)
        save(output, data)
        console.say(f"wrote {output}{made}")
    elif not (console.stdout_is_terminal and FORMATS[form].binary):
        console.write_bytes(data)
