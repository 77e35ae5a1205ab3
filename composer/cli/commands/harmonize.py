"""`composer harmonize`: add voices below a melody, or chord symbols over it."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from composer.api import Note, ReadError, RejectedPiece, Source, UsageError
from composer.api.fields import check_ranges, option
from composer.api.sampling.params import (
    TEMPERATURE_HINT,
    UNIFORM,
    SamplingParams,
    TemperatureRamp,
    parse_temperature,
)
from composer.cli.options_from import OptionsCommand

if TYPE_CHECKING:
    from composer.api import Score
    from composer.cli.console import Console
    from composer.formats import Format
    from composer.formats.abc.reader.guesses import Guesses

FOR_CHORALE = ("voices", "particles", "seed", "temperature", "checkpoint")
"""Options that mean nothing for chord symbols, which are not sampled."""


@dataclass(frozen=True, slots=True)
class HarmonizeOptions:
    """Options of `composer harmonize`. Raises UsageError, OptionError."""

    file: str = option(help="The melody: a music file, or - for stdin.", argument="TUNE")
    style: Literal["chorale", "chords"] = option(
        "chorale", "`chorale` adds voices, `chords` writes chord symbols into ABC."
    )
    voices: int | None = option(
        None, "Number of voices, including the melody. [default: 4]", metavar="N", minimum=2, maximum=8
    )
    particles: int | None = option(
        None,
        "Sample N candidates and weight them by how well the melody fits; more take longer and fit better. "
        "[default: 64]",
        metavar="N",
        minimum=1,
        maximum=4096,
    )
    seed: int | None = option(None, "Random seed.", metavar="N", minimum=0, maximum=2**63 - 1)
    temperature: float | TemperatureRamp | None = option(
        None, "Sampling temperature; 0 is greedy, inf is uniform. 0.6..1.2 ramps over the piece. "
        "[default: the model's, else 1]",
        "--temp", metavar="T", minimum=0, maximum=UNIFORM, hint=TEMPERATURE_HINT, parse=parse_temperature,
    )  # fmt: skip
    output: str | None = option(None, "Output file; the suffix sets the format.", "-o", metavar="FILE")
    format: str | None = option(None, "Output format, such as abc, midi or musicxml.", metavar="FORMAT")
    force: bool = option(False, "Overwrite an existing file.")
    provenance: bool = option(True, "Omit provenance metadata.")
    checkpoint: Path | None = option(
        None,
        "Model name or file. [default: the one set by `composer models use`, else the bundled one]",
        "-c",
        metavar="NAME",
    )
    quiet: bool = option(False, "Print only warnings and errors.", "-q")

    def __post_init__(self) -> None:
        check_ranges(self)
        given = next((name for name in FOR_CHORALE if getattr(self, name) is not None), None)
        if self.style == "chords" and given is not None:
            flag = "--temp" if given == "temperature" else f"--{given}"
            hint = f"leave out {flag}, or use --style chorale"
            raise UsageError(f"{flag} has no effect with --style chords", hint, flags=(flag,))


def harmonize(console: "Console", options: HarmonizeOptions) -> None:
    """Harmonize a melody.

    The melody, the highest voice of TUNE, stays as it is. With --style chorale, the other voices are sampled from a
    pianoroll model, given the whole melody. They also sound in its rests; a melody with rests is a part of its own.
    `composer gen pianoroll --keep-voices top --voice-leading --min-notes 4 --max-notes 4` does the same with more
    options.
    With --style chords, chord symbols are chosen by rules from the key and the notes of each bar. abc2midi plays them.
    """
    from composer.system.threads import default_to_one_thread

    default_to_one_thread()
    console.quiet = options.quiet
    (_add_voices if options.style == "chorale" else _add_chords)(console, options)


def make_command(summary: str) -> OptionsCommand:
    """Return the command for the parser."""
    return OptionsCommand("harmonize", harmonize, HarmonizeOptions, summary)


def _add_voices(console: "Console", options: HarmonizeOptions) -> None:
    """Write the melody with voices below it. Raises ComposerError."""
    from composer.cli.gen.options import GenOptions
    from composer.cli.gen.plan import planned
    from composer.cli.gen.run import generate_pieces
    from composer.cli.render.text import count_noun
    from composer.distributed.environment import ProcessInfo
    from composer.registry import plugins as registry

    voices = options.voices or 4
    controls = registry.representation("pianoroll").Controls(
        keep_voices="top", max_notes=voices, min_notes=voices, voice_leading=True
    )
    gen = GenOptions(
        "pianoroll", seed=options.seed, sampling=SamplingParams(options.temperature), prime=options.file,
        particles=options.particles, output=options.output, format=options.format, force=options.force,
        provenance=options.provenance, checkpoint=options.checkpoint, quiet=options.quiet, controls=controls,
    )  # fmt: skip
    with planned(gen, console, ProcessInfo()) as plan:
        tune = plan.context.tune
        score = plan.model.representation.score(tune) if tune is not None else None
        if others := (_most_sounding(score.notes) - 1 if score is not None else 0):
            console.say(f"harmonizing the top voice; {count_noun(others, 'other voice')} left out")
        if warning := (_low_melody(score, voices, options.file) if score is not None else ""):
            console.warn(warning)
        generate_pieces(plan)


LOWEST_BASS = 40
"""The lowest note of a usual bass voice, E2."""
ROOM = 6
"""Semitones above it that each voice needs up to the melody.

With less, voices are often a second apart. In harmonizations of a melody from B3 to C5 in four voices, this is so in
8 % of the beats; a third lower in 35 %, and a sixth lower in 53 %. In three voices it is 17 % a sixth lower.
"""
LOW_SHARE = 1 / 8
"""Share of the notes of a melody that may have less room."""


def _low_melody(score: "Score", voices: int, file: str) -> str:
    """Return a warning if so many `voices` have little room below the melody, the `score` of `file`; else ''."""
    import shlex

    from composer.cli.render.text import count_noun
    from composer.music.melody import top_line
    from composer.music.scales import pitch_name

    pitches = [note.pitch for note in top_line(score)]

    def has_room(count: int) -> bool:
        return sum(pitch < LOWEST_BASS + ROOM * (count - 1) for pitch in pitches) <= LOW_SHARE * len(pitches)

    if has_room(voices):
        return ""
    fewer = next((f", use --voices {count}" for count in range(voices - 1, 1, -1) if has_room(count)), "")
    others = count_noun(voices - 1, "other voice")
    has = "has" if voices == 2 else "have"
    bass = f"composer gen pianoroll --prime {shlex.quote(file)} --keep-voices bass"
    return (
        f"the melody goes down to {pitch_name(min(pitches))}, and {others} {has} little room below it: transpose it"
        f" up{fewer}, or make it the bass with `{bass}`"
    )


def _most_sounding(notes: Iterable[Note]) -> int:
    """Return how many notes sound at once at most."""
    changes = sorted(change for note in notes for change in ((note.onset, 1), (note.end, -1)))
    return max(accumulate(change for _, change in changes), default=0)


def _add_chords(console: "Console", options: HarmonizeOptions) -> None:
    """Write the tunes of an ABC file, or the melody of another one, with chord symbols. Raises ComposerError."""
    from composer import formats
    from composer.cli.output.files import check_replaceable, new_folder_note, save
    from composer.cli.render.guesses import GuessPlace, warn_of_guesses
    from composer.cli.render.skipped import warn_of_skipped

    target = None if options.output in (None, "-") else Path(options.output or "")
    if target is not None:
        check_replaceable(target, force=options.force)
    chosen = _format(options.format, target)
    stdin = options.file == "-"
    source = Source(Path("-"), "stdin", data=console.read_bytes()) if stdin else Source(Path(options.file))
    text, notes, guesses, skipped = _with_chords(source)
    if chosen.name == "abc":
        data = text.encode()
    else:
        from composer.cli.render.reading_progress import ReadingProgress
        from composer.formats.read import read_playable

        harmonized = Source(Path("harmonized.abc"), source.label, data=text.encode())
        with ReadingProgress(console) as progress:
            settings = formats.WriteSettings(progress=progress.update_rendered)
            data = formats.write(chosen.name, next(read_playable(harmonized)), settings)
    if target is None and chosen.binary and console.stdout_is_terminal:
        raise UsageError(f"`{chosen.name}` is binary and cannot be shown", f"add -o tune{chosen.suffixes[0]}")
    warn_of_skipped(console, skipped)
    if guesses is not None:
        places = {phrase: GuessPlace(source.label, place) for phrase, place in guesses.places.items()}
        warn_of_guesses(console, guesses.counts, places)
    for note in notes:
        console.say(f"{source.label}: {note}")
    if target is None:
        console.write_bytes(data)
        return
    note = new_folder_note(target.parent)
    save(target, data, replace=options.force)
    console.say(f"wrote {target}{note}")


def _format(name: str | None, target: Path | None) -> "Format":
    """Return the output format by name, else by suffix, else ABC. Raises UsageError, OptionError."""
    from composer import formats

    if name is not None:
        return formats.format_named(name, is_useful=lambda each: each.write is not None)
    if target is None or not target.suffix:
        return formats.format_named("abc")
    chosen = formats.format_of(target)
    if chosen is None or chosen.write is None:
        raise UsageError(f"cannot write the suffix '{target.suffix}'", f"use --output {target.with_suffix('.abc')}")
    return chosen


def _with_chords(source: Source) -> tuple[str, Sequence[str], "Guesses | None", Sequence[RejectedPiece]]:
    """Return the tunes of `source` in ABC with chord symbols, notes on what changed, and what was guessed in ABC.

    Tunes that cannot be read stay as they are, and are returned last. Raises ReadError if there are no others, and for
    a tune in which chord symbols would change the notes.
    """
    import re
    import shlex

    from composer.cli.render.text import count_noun
    from composer.formats import detect
    from composer.formats.abc.chord_symbols import add_chords, unclosed_sign
    from composer.formats.abc.reader.lexer import split_tunes
    from composer.formats.provenance import mark_as_changed
    from composer.formats.read import no_music_error

    kind = detect(source.bytes())
    is_abc = kind is None or kind.name == "abc"
    text, notes, skipped = (source.text(), list[str](), list[RejectedPiece]()) if is_abc else _melody(source)
    tunes = split_tunes(text)
    if not tunes:
        raise ReadError(f"no tune in {source.label}", "an ABC tune starts with `X:1` and has a `K:` line")
    guesses, faults = _guesses_and_faults(source) if is_abc else (None, {})
    skipped += faults.values()
    if len(faults) == len(tunes):
        raise no_music_error(source, skipped[0])
    tunes = [tune for number, tune in enumerate(tunes) if number not in faults]
    if sign := next(filter(None, map(unclosed_sign, tunes)), None):
        place = f"line {sign.line}, column {sign.column}"
        raise ReadError(
            f"cannot write chord symbols into {source.label}: unclosed `{sign.text}` at {place}",
            f"close it; for details: composer check {shlex.quote(str(source.path))}",
        )
    lines = re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))
    written = replaced = 0
    for tune in reversed(tunes):  # the places of earlier ones stay the same
        added = add_chords(tune)
        first = tune.first - 1
        lines[first : first + len(tune.lines)] = mark_as_changed(added.text, "harmonize").splitlines()
        written, replaced = written + added.written, replaced + added.replaced
    if not written:
        raise ReadError(f"{source.label} is too short for chords: no bar is full", "use a tune of one bar or more")
    if replaced:
        notes.append(f"replaced {count_noun(replaced, 'chord symbol')}")
    return "\n".join(lines), notes, guesses, skipped


def _guesses_and_faults(source: Source) -> tuple["Guesses", dict[int, RejectedPiece]]:
    """Return the guesses in all tunes of an ABC file, with the name of the tune in their places.

    Tunes that cannot be read are returned by their places among all tunes, from 0.
    """
    from collections import Counter

    from composer.formats.abc.file import read_pieces
    from composer.formats.abc.reader.guesses import Guesses

    found, faults = Guesses(Counter(), {}), dict[int, RejectedPiece]()
    for number, (name, score) in enumerate(read_pieces(source)):
        if isinstance(score, RejectedPiece):
            faults[number] = score
            continue
        found.counts.update({phrase: score.losses[phrase] for phrase in score.places})
        for phrase, place in score.places.items():
            found.places.setdefault(phrase, f"{name}, {place}")
    return found, faults


def _melody(source: Source) -> tuple[str, list[str], list[RejectedPiece]]:
    """Return the melody of the first piece of `source` in ABC, what is lost, and the pieces before it that are skipped.

    Raises ReadError, EncodeError.
    """
    from composer.check.loss_phrases import summary
    from composer.formats.abc.writer.score import melody_with_losses
    from composer.formats.read import read_playable

    skipped = list[RejectedPiece]()
    text, losses = melody_with_losses(next(read_playable(source, skipped)))
    return text, [summary(losses)] if losses else [], skipped
