"""What is wanted of a tune, as the automaton takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from composer.formats.abc.dialect.dances import DANCES, TitleDances, dances_in
from composer.formats.abc.dialect.tables import ACCIDENTALS, RHYTHMS
from composer.formats.abc.grammar.allowed_notes import AllowedNotes
from composer.formats.abc.grammar.bar_plan import BarPlan, CountedBars
from composer.formats.abc.grammar.note_spelling import preferred_spellings
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import LETTERS, Signature, parse_key, pitch
from composer.music.scales import Range, Scale, parse_scale

__all__ = ["NO_CONTROLS", "OWN_KEY", "TuneControls"]

OWN_KEY = "own"
"""The scale that is each key's own."""

_SPELT = re.compile(r"([_^=])([A-Ga-g])")


@dataclass(frozen=True, slots=True)
class TuneControls:
    """What of a tune must be so; what is empty, may be any. Meter, key and rhythm are as the dialect spells them.

    `scale` is the name of one on the key's tonic, OWN_KEY for that of the key's mode, or a scale on a tonic of its own,
    which is then the key's too. A rhythm is in the meters of its dance. `opening` is what is given of the tune, which
    may say of dances and spell tones as it does. `words` are the wishes as the player gave them, by name.
    """

    key: str = ""
    mode: str = ""
    meter: str = ""
    rhythm: str = ""
    bars: int = 0
    range: Range | None = None
    scale: str | Scale = ""
    opening: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def bar_plan(self) -> BarPlan:
        """How many bars."""
        return CountedBars(self.bars) if self.bars else BarPlan()

    @property
    def restricts_tones(self) -> bool:
        """Whether not all tones may be."""
        return self.range is not None or bool(self.scale)

    @property
    def rhythms(self) -> tuple[str, ...]:
        """What may be written for the rhythm."""
        if self.rhythm:
            return (self.rhythm,)
        return dances_in(self.meter) if self.meter and not self._names_rhythm else tuple(RHYTHMS)

    @property
    def title_dances(self) -> TitleDances | None:
        """Which dances a title may name; None where it may any."""
        if self.opening.startswith("T:") or self.rhythms == tuple(RHYTHMS):
            return None
        return TitleDances(self.rhythms)

    def allows_meter(self, meter: str) -> bool:
        """Whether a tune may be in `meter`."""
        danced = not self.rhythm or self._names_rhythm or meter in DANCES[self.rhythm].meters
        return danced and self.meter in ("", meter)

    def allows_key(self, key: str) -> bool:
        """Whether a tune may be in `key`."""
        signature = parse_key(key)
        if signature is None or self.key not in ("", key) or self.mode not in ("", signature.mode):
            return False
        return not isinstance(self.scale, Scale) or _tonic_class(signature) == _tonic_class(parse_key(self.scale.tonic))

    def allowed_notes(self, vocabulary: Vocabulary, key: str) -> AllowedNotes:
        """The tones of a tune in `key`."""
        scale = self._scale(key)
        if self.range is None and scale is None:
            return AllowedNotes(vocabulary)
        signature = parse_key(key)
        assert signature is not None
        low, high = (self.range.low, self.range.high) if self.range is not None else (0, 127)
        pitches = [each for each in range(low, high + 1) if scale is None or each in scale]
        written = _SPELT.findall(self.opening)
        spelt = [(LETTERS.index(letter.upper()), ACCIDENTALS[sign]) for sign, letter in written]
        return AllowedNotes(vocabulary, preferred_spellings(pitches, signature, scale, vocabulary, spelt))

    def only(self, names: Iterable[str]) -> TuneControls:
        """The wishes of these names alone."""
        kept = {name: getattr(self, name) for name in names}
        return TuneControls(**kept, opening=self.opening, words={name: self.words[name] for name in kept})

    @property
    def _names_rhythm(self) -> bool:
        """Whether what is given names the rhythm."""
        return re.search(r"^R:.*\n", self.opening, re.MULTILINE) is not None

    def _scale(self, key: str) -> Scale | None:
        if isinstance(self.scale, Scale) or not self.scale:
            return self.scale or None
        return parse_scale("" if self.scale == OWN_KEY else self.scale, key)


NO_CONTROLS = TuneControls()


def _tonic_class(signature: Signature | None) -> int:
    """The pitch class of a tonic."""
    assert signature is not None
    step = LETTERS.index(signature.tonic[0])
    return pitch(step, signature.tonic.count("#") - signature.tonic.count("b")) % 12
