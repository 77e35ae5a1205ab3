"""Controls of the pianoroll representation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from composer.api import OptionError
from composer.api.fields import at_least_one, check_choices, choice, option
from composer.toolkit.representations.note_controls import (
    NoteControls,
)
from composer_pianoroll import full_chords, parallels, phrase_ends, returns
from composer_pianoroll.kept_voice.constraint import check_voice

MAX_COUNT = 128
_AT_LEAST_ONE = "use 1 or more, or leave out {}"


@dataclass(frozen=True)
class PianorollControls(NoteControls):
    """Controls on polyphonic music."""

    max_notes: int = option(
        0,
        "Maximum number of notes sounding at once. [default: that of the training data, without --keep-bars, "
        "--keep-voices and --density]",
        metavar="N", parse=at_least_one("--max-notes"), minimum=0, hint=_AT_LEAST_ONE.format("--max-notes"),
    )  # fmt: skip
    min_notes: int | None = option(
        None,
        "Minimum number of notes sounding at any time; 0 = silence of any length is allowed. [default: as in the "
        "training data: silence of up to two beats if it hardly has any, and 3 or 1 after a thin --prime, such as a "
        "melody]",
        metavar="N", minimum=0,
    )  # fmt: skip
    max_onsets: int = option(
        0, "Maximum number of notes starting at once. [default: no limit]", metavar="N",
        parse=at_least_one("--max-onsets"), minimum=0, hint=_AT_LEAST_ONE.format("--max-onsets"),
    )  # fmt: skip
    max_sustained: int = option(
        0, "Maximum number of notes held over at once. [default: no limit]", metavar="N",
        parse=at_least_one("--max-sustained"), minimum=0, hint=_AT_LEAST_ONE.format("--max-sustained"),
    )  # fmt: skip
    keep_voices: str = option(
        "",
        "Keep a voice of --prime and generate the others: top, bass, or N for the Nth highest note at each moment. "
        "With N, others may sound above and below it. --range, --key and --scale apply only to new notes.",
        metavar="VOICE",
        choices=("top", "bass"),
    )
    voice_leading: bool = option(
        False,
        "With --keep-voices, instead of --parallels: prefer particles without parallel fifths and octaves, and a close "
        "on the tonic chord.",
    )

    onsets: str = option("", "Number of notes starting at once, such as 2 or 1-2.", metavar="N")
    sustained: str = option(
        "", "Number of notes held over at once, such as 3 or 2-3; all of them if fewer are sounding.", metavar="N"
    )

    parallels: str = choice(
        parallels.CHOICES,
        "Avoid or allow parallel fifths and octaves between the outer voices. "
        "[default: about as many as in the training data, where that is known]",
    )
    phrase_ends: str = choice(
        phrase_ends.CHOICES,
        "`triads` prefers whole major and minor triads in root position where phrases end and, without --keep-bars and "
        "--keep-voices, dominants before them and bass intervals as in the training data; `any` takes any chord. "
        "[default: triads if most phrases of the training data end so]",
    )
    chords: str = choice(
        full_chords.CHOICES,
        "`full` prefers chords of at least three different notes on beats; `any` takes any chord. "
        "[default: full if most chords of the training data are; any with --keep-bars and --keep-voices]",
    )
    returns: str = choice(
        returns.CHOICES,
        "`plan` copies earlier passages where those of a training piece (with --keep-voices: of the tune) return; "
        "`none` generates every bar. [default: plan; none with --keep-bars, --keep-voices, --onsets, --sustained and "
        "--density]",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("onsets", "sustained"):
            if parse_count(getattr(self, name), f"--{name}")[1] and getattr(self, f"max_{name}"):
                flag = f"--max-{name}"
                raise OptionError(
                    f"--{name} and {flag} cannot be used together", f"leave out {flag}", flags=(f"--{name}", flag)
                )
            if getattr(self, name) and self.fewest_notes:
                raise OptionError(
                    f"--{name} and --min-notes cannot be used together",
                    "leave out --min-notes",
                    flags=(f"--{name}", "--min-notes"),
                )
        self._check_min_notes()
        if self.keep_voices:
            check_voice(self.keep_voices)
        elif self.voice_leading:
            raise OptionError(
                "--voice-leading needs --keep-voices", "add --keep-voices top", flags=("--voice-leading",)
            )
        check_choices(self)
        self._check_parallels()
        if self.returns == returns.PLAN:
            self._check_without("--returns plan", ("keep_bars", *returns.COUNTED))
        if self.chords == full_chords.FULL:
            self._check_without("--chords full", returns.COUNTED)
        full_chords.check_room(self.chords, self.phrase_ends, self.max_notes)

    def _check_parallels(self) -> None:
        if self.parallels and self.voice_leading:
            hint = "leave out --parallels: --voice-leading prefers voices without parallels by itself"
            raise OptionError(
                "--parallels and --voice-leading cannot be used together",
                hint,
                flags=("--parallels", "--voice-leading"),
            )

    def _check_without(self, wanted: str, names: Sequence[str]) -> None:
        """Raise OptionError if one of the controls `names`, which rule out the control `wanted`, is given."""
        for name in names:
            if getattr(self, name):
                flag, unwanted = f"--{name.replace('_', '-')}", wanted.partition(" ")[0]
                message = f"{wanted} and {flag} cannot be used together"
                raise OptionError(message, f"leave out {unwanted}", flags=(unwanted, flag))

    @property
    def is_counted(self) -> bool:
        """Whether numbers of notes are given that copied frames may not have."""
        return any(getattr(self, name) for name in returns.COUNTED)

    @property
    def fewest_notes(self) -> int:
        """How many notes must sound at any time; 0 also if no number is given."""
        return self.min_notes or 0

    @property
    def most_notes(self) -> int:
        """How many notes may sound at once, by the limits on those that start and are held too; 0 for any number."""
        together = self.max_onsets + self.max_sustained if self.max_onsets and self.max_sustained else 0
        return min(filter(None, (self.max_notes, together)), default=0)

    @property
    def kept_control(self) -> str:
        return super().kept_control or (f"--keep-voices {self.keep_voices}" if self.keep_voices else "")

    def _check_min_notes(self) -> None:
        """Raise OptionError if other limits allow fewer notes."""
        fewest = self.fewest_notes
        if self.max_notes and fewest > self.max_notes:
            raise min_notes_error(fewest, f"--max-notes {self.max_notes}", self.max_notes, "--max-notes")
        onsets, held = self.max_onsets, self.max_sustained
        if onsets and held and fewest > onsets + held:
            other = f"--max-onsets {onsets} and --max-sustained {held}"
            raise min_notes_error(fewest, other, onsets + held, "--max-onsets", "--max-sustained")


def parse_count(text: str, flag: str) -> tuple[int, int]:
    """Parse `2` or `1-2` notes: the fewest and the most; (0, 0) if empty. Raises OptionError."""
    if not text:
        return 0, 0
    match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", text.strip())
    low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not (low <= high and 1 <= high <= MAX_COUNT):
        raise OptionError(
            f"invalid value for {flag}: '{text}'", f"use a number, or the fewest and the most: {flag} 1-2"
        )
    return low, high


def min_notes_error(minimum: int, other: str, maximum: int, *flags: str) -> OptionError:
    """Return the error for a --min-notes above the `maximum` that something else allows, by the options `flags`."""
    return OptionError(
        f"--min-notes {minimum} contradicts {other}",
        f"use --min-notes {maximum} or less",
        flags=("--min-notes", *flags),
    )
