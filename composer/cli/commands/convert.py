"""`composer convert`: music files in other formats."""

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import ComposerError, ReadError, RejectedPiece, Source, UsageError
from composer.api.fields import option
from composer.cli.options_from import OptionsCommand
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.cli.convert.destination import Destination
    from composer.cli.convert.pieces import FoundPiece
    from composer.cli.convert.writing import Write
    from composer.cli.render.guesses import GuessPlace
    from composer.formats import Format


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """Options of `composer convert`."""

    files: tuple[str, ...] = option(
        help="Files, folders, globs, zip archives, corpus:NAME from music21, or - for stdin.",
        argument="FILE...",
        repeated=True,
    )
    output: str | None = option(
        None,
        "Output file; the suffix sets the format. %03d in its name becomes the number of the piece. A name without "
        "a suffix, or with a slash at the end, is a folder. [default: stdout]",
        "-o",
        metavar="FILE",
    )
    to: str | None = option(None, "Output format: abc, midi, musicxml, tokens or wav.", metavar="FORMAT")
    read_as: str | None = option(
        None, "Input format. [default: detected from the content, else from the suffix]", "--from", metavar="FORMAT"
    )
    soundfont: str = option("", "SoundFont for WAV, or none for the built-in synthesizer.", metavar="FILE")
    force: bool = option(False, "Overwrite existing files.")
    resume: bool = option(False, "Keep the existing files of the output folder, and convert the others.")
    as_json: bool = option(False, "Print the new files and their losses as JSON.", "--json")
    quiet: bool = option(False, "Print only warnings and errors.", "-q")


def convert(console: "Console", options: ConvertOptions) -> None:
    """Convert music between ABC, MIDI, MusicXML and tokens. It also reads MEI and kern, and writes WAV.

    ABC and token files may hold many pieces. Other files hold one, so each piece gets its own file, such as
    jigs-01.mid. In a folder, the new files keep the names and subfolders of the originals.

    Titles, tempos, meters, keys, clefs, instruments and the record of how a piece was generated are kept if the format
    can hold them. Repeats are written out in full, except from ABC or MusicXML to MusicXML. In ABC and MusicXML,
    recorded performances are quantized to note values. Messages say how much is lost. The exit status is 1 if a piece
    could not be converted.
    """
    from composer.cli.convert.destination import plan_destination
    from composer.cli.convert.pieces import is_read
    from composer.cli.convert.writing import make_writer
    from composer.cli.render.reading_progress import ReadingProgress
    from composer.formats import format_named

    console.quiet = options.quiet
    chosen = _target_format(options)
    read_as = format_named(options.read_as, is_useful=is_read) if options.read_as is not None else None
    rendering = ReadingProgress(console)
    write, many = make_writer(chosen, options.soundfont, rendering.update_rendered)
    destination = plan_destination(console, chosen, many, options.output, force=options.force, resume=options.resume)
    if options.as_json and options.output in (None, "-"):
        raise UsageError("--json needs --output", "add --output FOLDER/, or leave out --json", flags=("--json",))
    run = _Run(console, write, destination, read_as, options.files)
    try:
        with rendering:
            run.convert()
    except KeyboardInterrupt:
        run.say_written(interrupted=True)  # since these files stay
        raise
    destination.close()
    if options.as_json:
        console.write_json(run.document(), indent=2)
    run.report()


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("convert", convert, ConvertOptions, summary)


def _target_format(options: ConvertOptions) -> "Format":
    """Return the format of --to, else that of the output's suffix. Raises UsageError, OptionError."""
    from composer.cli.convert.writing import is_written, written_formats
    from composer.formats import format_named, format_of

    output = Path(options.output or "-")
    named = format_of(output)
    if options.to is not None:
        chosen = format_named(options.to, is_useful=is_written)
        if named not in (None, chosen):
            hint = f"leave out --to, or use --output {output.with_suffix(chosen.suffixes[0])}"
            raise UsageError(f"--to {options.to} contradicts --output {output}", hint, flags=("--to", "--output"))
        return chosen
    if named is not None:
        return named
    problem = f"unknown suffix '{output.suffix}'" if output.suffix else "no output format"
    raise UsageError(problem, f"add --to {written_formats()}")


@dataclass
class _Run:
    """Converts pieces one by one, and counts what was lost; a piece that fails does not stop the others."""

    console: "Console"
    write: "Write"
    destination: "Destination"
    read_as: "Format | None"
    arguments: tuple[str, ...]
    losses: Counter[str] = field(default_factory=Counter)
    places: "dict[str, GuessPlace]" = field(default_factory=dict)
    files: int = 0
    kept: int = 0
    done: list[dict[str, Any]] = field(default_factory=list)
    failures: list[tuple[str, ComposerError]] = field(default_factory=list)

    def convert(self) -> None:
        """Convert all pieces. Raises UsageError, and ReadError if there are no files."""
        from composer.cli.convert.pieces import suffixes
        from composer.cli.render.reading_progress import ReadingProgress
        from composer.data.sources import sources

        kinds = suffixes(self.read_as)
        with ReadingProgress(self.console) as progress:
            for source in sources(self.arguments, kinds, self.console.read_bytes):
                self.files += 1
                if isinstance(source, ReadError):
                    self.failures.append(("", source))
                    continue
                for _ in self._convert_source(source):
                    progress.update_converted(self.files, len(self.done) + len(self.failures) + self.kept)
        if not self.files:
            raise ReadError(f"no music files in {' '.join(self.arguments)}", f"supported suffixes: {' '.join(kinds)}")

    def _convert_source(self, source: Source) -> Iterator[None]:
        """Convert the pieces of a source, yielding after each."""
        from composer.cli.convert.pieces import read_pieces

        try:
            count, pieces = read_pieces(source, self.read_as)
            for number, piece in enumerate(pieces, 1):
                self._convert_piece(source, piece, number, count)
                yield
        except ReadError as error:
            self.failures.append((source.label, error))
        self.destination.end_source(source)

    def _convert_piece(self, source: Source, piece: "FoundPiece", number: int, count: int) -> None:
        from composer.cli.convert.destination import NameConflict
        from composer.cli.render.guesses import GuessPlace
        from composer.formats.read import located_reason

        if isinstance(piece.score, RejectedPiece):
            checked = shlex.quote(str(source.path)) if source.data is None else shlex.join(self.arguments)
            hint = f"for details: composer check {checked}"
            error = ReadError(f"cannot convert {piece.name}: {located_reason(piece.score)}", hint)
            self.failures.append((piece.name, error))
            return
        if self.destination.keeps(source, number, count):
            self.kept += 1
            return
        try:
            data, losses = self.write(piece)
        except ComposerError as error:
            self._fail(piece, error)
            return
        try:
            path = self.destination.add(source, data, number, count)
        except NameConflict as error:
            self._fail(piece, error)
            return
        self.losses += losses
        for phrase, place in piece.score.places.items():
            self.places.setdefault(phrase, GuessPlace(source.label, f"{piece.name}, {place}"))
        self.done.append({"piece": piece.name, "output": str(path), "losses": dict(losses)})

    def _fail(self, piece: "FoundPiece", error: ComposerError) -> None:
        from composer.cli.convert.destination import NameConflict

        kind = type(error) if isinstance(error, NameConflict) else ComposerError
        self.failures.append((piece.name, kind(f"cannot convert {piece.name}: {error.message}", error.hint)))

    def document(self) -> dict[str, Any]:
        """Return the results as JSON data."""
        failed = [{"piece": name, "error": error.message} for name, error in self.failures]
        kept = [str(path) for path in self.destination.kept]
        return {"files": self.files, "pieces": self.done, "kept": kept, "failed": failed, "losses": dict(self.losses)}

    def say_written(self, *, interrupted: bool = False) -> None:
        """Print what was written and kept, if anything was."""
        from composer.cli.convert.destination import ToFolder

        if written := self.destination.summary():
            more = ""
            if interrupted and isinstance(self.destination, ToFolder):
                # --resume would keep the files that --force is to overwrite
                forced = self.destination.force
                more = "; repeat the command with --force" if forced else "; convert the others with --resume"
            self.console.say(f"{written}{more}")

    def report(self) -> None:
        """Print what was written and lost. Raises the error of a piece that was not converted."""
        from composer.check.loss_phrases import summary
        from composer.cli.convert.destination import AlreadyExists
        from composer.cli.render.guesses import warn_of_guesses
        from composer.cli.render.reading_progress import MAX_UNREADABLE, report_skipped

        self.say_written()
        only = self.failures[0][1] if len(self.failures) == 1 else None
        if len(self.done) == 1:
            if losses := warn_of_guesses(self.console, dict(self.losses.most_common()), self.places):
                self.console.say(f"{self.done[0]['piece']}: {summary(losses)}")
        else:
            report_skipped(self.console, _Losses(self.losses), self.places)
        if only is not None:
            raise only
        if self.failures:
            existing = [error for _, error in self.failures if isinstance(error, AlreadyExists)]
            total = count_noun(len(self.failures) + len(self.done) + self.kept, "piece")
            if len(existing) == len(self.failures):
                raise ComposerError(f"the files of {len(existing):,} of {total} already exist", existing[0].hint)
            others = [error for _, error in self.failures if not isinstance(error, AlreadyExists)]
            for error in others[:MAX_UNREADABLE]:
                self.console.warn(error.message)
            if (more := len(others) - MAX_UNREADABLE) > 0:
                self.console.warn(f"and {count_noun(more, 'more piece')} that could not be converted")
            if existing:
                self.console.warn(f"the files of {count_noun(len(existing), 'piece')} already exist")
            raise ComposerError(f"{len(self.failures):,} of {total} could not be converted", self._hint())

    def _hint(self) -> str | None:
        """Return the hint for several failures: that of the conflicts of file names if these are the majority."""
        from composer.cli.convert.destination import NameConflict

        conflicts = [error for _, error in self.failures if isinstance(error, NameConflict)]
        if 2 * len(conflicts) > len(self.failures):
            first, *others = dict.fromkeys(error.hint for error in conflicts)
            return f"one at a time, such as: {first}" if others else first
        return f"find the problems: composer check {shlex.join(self.arguments)}"


@dataclass(frozen=True)
class _Losses:
    """What was lost, as `report_skipped` prints it."""

    losses: Counter[str]
    places: dict[str, list[str]] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
