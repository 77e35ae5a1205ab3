"""How pitches are usually written in a key, where a scale is played in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from composer.formats.abc.elements import Tone
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.formats.abc.note_names import tone
from composer.music.keys import LETTERS, Signature, pitch
from composer.music.scales import Scale

__all__ = ["preferred_spellings"]

_FLAT = {0: 0, 2: 1, 3: 2, 5: 3, 6: 4, 7: 4, 8: 5, 10: 6}
"""The letters above the tonic of the degrees of blues and the minor pentatonic, by their semitones."""


def preferred_spellings(
    pitches: Iterable[int], key: Signature, scale: Scale | None, vocabulary: Vocabulary, also: Collection[Tone] = ()
) -> set[Tone]:
    """One way to write each of `pitches` in `key`, of those for which there are characters, and those of `also`, tones
    without their octaves, steps from 0 to 6. A C above the highest B is not written as B sharp.

    The one is that of the key itself; else the one with the letter that the `scale` has there (the blues on C has an E
    flat and no D sharp); else the nearest to the key (see `naming.tone`).
    """
    sounding = set(pitches)
    bare = ((step, key.alters[step % 7]) for step in vocabulary.steps)
    own = {midi: each for each in bare if (midi := pitch(*each)) in sounding}
    signed = [(step, alter) for step in vocabulary.steps for alter in sorted(set(vocabulary.accidentals.values()))]
    others = {each for each in signed if (each[0] % 7, each[1]) in also and pitch(*each) in sounding}
    lowest, highest = (pitch(vocabulary.steps[end], 0) for end in (0, -1)) if vocabulary.steps else (0, 0)
    letters = {} if scale is None else _letters(key, scale)
    usual: dict[int, Tone] = {}
    for each in signed:
        midi = pitch(*each)
        if midi in sounding and midi not in own and lowest <= midi <= highest:
            rival = usual.setdefault(midi, each)
            usual[midi] = min(rival, each, key=lambda one: _spelling_cost(one, key, letters))
    return {*own.values(), *usual.values(), *others}


def _spelling_cost(each: Tone, key: Signature, letters: Mapping[int, int]) -> tuple[bool, bool]:
    midi = pitch(*each)
    return letters.get(midi % 12, -1) != each[0] % 7, each != tone(midi, key)


def _letters(key: Signature, scale: Scale) -> dict[int, int]:
    """The letter, as a step from 0 to 6, of each pitch class of a scale; none for one whose letters are not settled."""
    first = LETTERS.index(key.tonic[0])
    tonic = pitch(first, key.tonic.count("#") - key.tonic.count("b")) % 12
    above = sorted((each - tonic) % 12 for each in scale.classes)
    if len(above) == len(LETTERS):
        degrees = {semitones: number for number, semitones in enumerate(above)}
    else:
        degrees = _FLAT if 3 in above and set(above) <= _FLAT.keys() else {}
    return {(tonic + semitones) % 12: (first + degree) % 7 for semitones, degree in degrees.items()}
