"""The notation of a tune: its bars as written, with repeats and endings and when each is played, and its staves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from composer.api import Notation, VoiceNotation
from composer.formats.abc.elements import Tune
from composer.formats.abc.reader.bars import Bar
from composer.formats.abc.reader.playback import bar_signs
from composer.formats.abc.reader.staves import StaffPlace
from composer.music.keys import BEAT
from composer.music.notation import BarAsRead, notation_of


def notation(written: Sequence[Bar], played: Sequence[Bar], numbers: Mapping[int, int], rhythm: str) -> Notation | None:
    """Return how a voice is written; `numbers` are those of its bars, by the bar's identity.

    None if repeat signs and endings alone do not tell in which order it is played, or if a bar is empty or not played.
    """
    places = {id(bar): at for at, bar in enumerate(written)}
    bars = [
        BarAsRead(sign, Fraction(bar.ticks, BEAT), numbers[id(bar)], bar.close is not None and bar.close.strong)
        for bar, sign in zip(written, bar_signs(written), strict=True)
    ]
    return notation_of(bars, [places[id(bar)] for bar in played], rhythm)


def voice_notations(tune: Tune, voices: Mapping[str, Sequence[Bar]]) -> dict[str, VoiceNotation]:
    """Return how each voice is written, given its bars as played; empty if the tune says nothing of it.

    Voices that `%%score` does not name have staves of their own below the others.
    """
    hidden = {name: tuple(_hidden_rests(played)) for name, played in voices.items()}
    if not (tune.staves or tune.clefs or any(hidden.values())):
        return {}
    last = max((place.staff for place in tune.staves.values()), default=0)
    places = {name: StaffPlace(last + number) for number, name in enumerate(voices, 1)} | tune.staves
    return {name: VoiceNotation(*places[name], tune.clefs.get(name, ""), hidden[name]) for name in voices}


def _hidden_rests(played: Sequence[Bar]) -> Iterator[tuple[Fraction, Fraction]]:
    """Yield the spans of invisible rests; those that follow one another are one."""
    now = begin = end = 0
    for sound in (sound for bar in played for sound in bar.sounds):
        if sound.hidden and now > end:
            if begin < end:
                yield Fraction(begin, BEAT), Fraction(end, BEAT)
            begin = now
        now += sound.ticks
        end = now if sound.hidden else end
    if begin < end:
        yield Fraction(begin, BEAT), Fraction(end, BEAT)
