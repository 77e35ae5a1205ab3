"""`composer play`: play music files, or write them as sound."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from composer.api import ComposerError, ReadError, RejectedPiece, UsageError
from composer.api.fields import check_ranges, option
from composer.cli.options_from import OptionsCommand

if TYPE_CHECKING:
    from composer.api import Score
    from composer.cli.console import Console
    from composer.cli.play.pieces import Tune


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """Options of `composer play`. Raises UsageError, OptionError."""

    files: tuple[str, ...] = option(
        (), "Music or WAV files, folders, globs, zip archives, corpus:NAME from music21, or - for stdin. [default: -]",
        argument="FILE...", repeated=True,
    )  # fmt: skip
    tune: int | None = option(None, "Play only piece N.", metavar="N", minimum=1, maximum=10**9)
    port: str | None = option(None, "Play through this MIDI port; part of its name is enough.", metavar="NAME")
    soundfont: str = option("", "SoundFont, or none for the built-in synthesizer.", metavar="FILE")
    output: str | None = option(None, "Write a WAV file instead (- for stdout).", "-o", metavar="FILE")
    force: bool = option(False, "Overwrite an existing file.")
    quiet: bool = option(False, "Print only warnings and errors.", "-q")

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.output is not None and self.port is not None:
            raise UsageError(
                "--output and --port cannot be used together", "leave out one of them", flags=("--output", "--port")
            )
        if self.output not in (None, "-") and Path(self.output or "").suffix.lower() != ".wav":
            hint = f"use --output {Path(self.output or '').stem or 'tune'}.wav, or composer convert"
            raise UsageError(f"composer play cannot write {self.output}", hint)
        if self.port is not None and self.soundfont:
            raise UsageError(
                "--port and --soundfont cannot be used together",
                "leave out one of them",
                flags=("--port", "--soundfont"),
            )


def play(console: "Console", options: PlayOptions) -> None:
    """Play music.

    Music is played through the MIDI port that --port names, else with FluidSynth or TiMidity++, else with the audio
    player of the system. MIDI files are played as they are. On a terminal, a cursor runs through the piano roll; space
    pauses, n plays the next piece, and q quits. With --output, a WAV file is written instead.

    FluidSynth plays with --soundfont, else with the SoundFont that COMPOSER_SOUNDFONT names, else with one in the usual
    folders. Without one, or without FluidSynth, a small synthesizer is built in.
    """
    console.quiet = options.quiet
    if not options.files and console.stdin.isatty():
        raise UsageError("no FILE to play", "composer play tune.abc")
    chosen = _Chosen(console, options)
    if options.output is not None:
        _write(console, options, chosen)
    else:
        _play(console, options, chosen)
    chosen.report()


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("play", play, PlayOptions, summary)


@dataclass
class _Chosen:
    """The pieces to play; files that cannot be read are counted, and do not stop the others."""

    console: "Console"
    options: PlayOptions
    failures: list[ReadError] = field(default_factory=list)
    count: int = 0

    def __iter__(self) -> Iterator["Tune"]:
        number = self.options.tune
        return self._all() if number is None else islice(self._all(), number - 1, number)

    def _all(self) -> Iterator["Tune"]:
        from composer.cli.inputs import suffixes
        from composer.cli.play.pieces import WAV_SUFFIX, tunes_of
        from composer.cli.render.guesses import GuessPlace, warn_of_guesses
        from composer.cli.render.skipped import warn_of_skipped
        from composer.data.sources import sources

        files, kinds = self.options.files or ("-",), [*suffixes(), WAV_SUFFIX]
        for source in sources(files, kinds, self.console.read_bytes, repeats=True):
            try:
                if isinstance(source, ReadError):
                    raise source
                skipped = list[RejectedPiece]()
                for tune in tunes_of(source, skipped):
                    warn_of_skipped(self.console, skipped)
                    skipped.clear()
                    self.count += 1
                    if self.options.tune in (None, self.count) and tune.score is not None:
                        label, found = source.label, tune.score.places.items()
                        places = {phrase: GuessPlace(label, f"{label}: {place}") for phrase, place in found}
                        warn_of_guesses(self.console, tune.score.losses, places)
                        self._say_if_bars_do_not_fit(label, tune.score)
                    yield tune
                warn_of_skipped(self.console, skipped)
            except ReadError as error:
                self.failures.append(error)

    def _say_if_bars_do_not_fit(self, label: str, score: "Score") -> None:
        """Say how many bar lines of the piano roll are not those of the file; a WAV file has none."""
        from composer.check.loss_phrases import counted
        from composer.cli.convert.losses import BAR_LINES_MOVED
        from composer.music.bars import moved_bar_lines

        if self.options.output is None and (moved := moved_bar_lines(score)):
            self.console.say(f"{label}: {counted(moved, BAR_LINES_MOVED)}")

    def report(self) -> None:
        """Raise ReadError if something could not be read, or if there was nothing to play."""
        if len(self.failures) == 1:
            raise self.failures[0]
        for error in self.failures:
            self.console.warn(error.message)
        if self.failures:
            raise ReadError(f"{len(self.failures):,} files could not be played", "composer check finds errors in files")
        if self.options.tune is not None and self.count < self.options.tune:
            raise ReadError(f"there is no piece {self.options.tune}", f"use --tune 1 to --tune {self.count}")
        if not self.count:
            raise ReadError(f"no music files in {' '.join(self.options.files)}", "name a music file")


def _play(console: "Console", options: PlayOptions, chosen: _Chosen) -> None:
    """Play the pieces. Raises ComposerError."""
    from composer.cli.play.session import play_tunes
    from composer.playback.choose import open_sound

    with open_sound(options.soundfont, options.port) as sound:
        play_tunes(console, chosen, sound)


def _write(console: "Console", options: PlayOptions, chosen: _Chosen) -> None:
    """Write the only piece as a WAV file. Raises ComposerError."""
    from composer.audio.wav import render_wav
    from composer.cli.output.files import check_replaceable, new_folder_note, save
    from composer.cli.render.reading_progress import ReadingProgress

    output = Path(options.output or "-")
    if options.output == "-" and console.stdout_is_terminal:
        raise UsageError("WAV is binary and cannot be shown", "add -o tune.wav")
    if options.output != "-":
        check_replaceable(output, force=options.force)
    tunes = list(islice(chosen, 2))
    if len(tunes) > 1:
        hint = "choose one with --tune 1, or use composer convert FILE -o tune-%02d.wav"
        raise ComposerError("a WAV file holds one piece, not several", hint)
    for tune in tunes:
        piece = tune.piece
        with ReadingProgress(console) as progress:
            data = piece.wav or render_wav(piece.midi, piece.name, options.soundfont, progress.update_rendered)
        if options.output == "-":
            console.write_bytes(data)
        else:
            note = new_folder_note(output.parent)
            save(output, data, replace=options.force)
            console.say(f"wrote {output}{note}")
