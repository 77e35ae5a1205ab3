"""What is wanted of a tune, as the automaton takes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from composer.formats.abc.dialect.dances import DANCES, Naming, dances_in
from composer.formats.abc.dialect.tables import ACCIDENTALS, RHYTHMS
from composer.formats.abc.grammar.allowed_notes import Palette
from composer.formats.abc.grammar.bar_plan import Counted, Form
from composer.formats.abc.grammar.note_spelling import usual_tones
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import LETTERS, Signature, parse_key, pitch
from composer.music.scales import Range, Scale, parse_scale

__all__ = ["ANYTHING", "OWN", "Wanted"]

OWN = "own"
"""The scale that is each key's own."""

_SPELT = re.compile(r"([_^=])([A-Ga-g])")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a tune must be so; what is empty, may be any. Meter, key and rhythm are as the dialect spells them.

    `scale` is the name of one on the key's tonic, OWN for that of the key's mode, or a scale on a tonic of its own,
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
    def form(self) -> Form:
        """How many bars."""
        return Counted(self.bars) if self.bars else Form()

    @property
    def tones(self) -> bool:
        """Whether not all tones may be."""
        return self.range is not None or bool(self.scale)

    @property
    def rhythms(self) -> tuple[str, ...]:
        """What may be written for the rhythm."""
        if self.rhythm:
            return (self.rhythm,)
        return dances_in(self.meter) if self.meter and not self._danced else tuple(RHYTHMS)

    @property
    def naming(self) -> Naming | None:
        """Which dances a title may name; None where it may any."""
        if self.opening.startswith("T:") or self.rhythms == tuple(RHYTHMS):
            return None
        return Naming(self.rhythms)

    def in_meter(self, meter: str) -> bool:
        """Whether a tune may be in `meter`."""
        danced = not self.rhythm or self._danced or meter in DANCES[self.rhythm].meters
        return danced and self.meter in ("", meter)

    def takes(self, key: str) -> bool:
        """Whether a tune may be in `key`."""
        signature = parse_key(key)
        if signature is None or self.key not in ("", key) or self.mode not in ("", signature.mode):
            return False
        return not isinstance(self.scale, Scale) or _on(signature) == _on(parse_key(self.scale.tonic))

    def palette(self, vocabulary: Vocabulary, key: str) -> Palette:
        """The tones of a tune in `key`."""
        scale = self._scale(key)
        if self.range is None and scale is None:
            return Palette(vocabulary)
        signature = parse_key(key)
        assert signature is not None
        low, high = (self.range.low, self.range.high) if self.range is not None else (0, 127)
        pitches = [each for each in range(low, high + 1) if scale is None or each in scale]
        written = _SPELT.findall(self.opening)
        spelt = [(LETTERS.index(letter.upper()), ACCIDENTALS[sign]) for sign, letter in written]
        return Palette(vocabulary, usual_tones(pitches, signature, scale, vocabulary, spelt))

    def only(self, names: Iterable[str]) -> Wanted:
        """The wishes of these names alone."""
        kept = {name: getattr(self, name) for name in names}
        return Wanted(**kept, opening=self.opening, words={name: self.words[name] for name in kept})

    @property
    def _danced(self) -> bool:
        """Whether what is given names the rhythm."""
        return re.search(r"^R:.*\n", self.opening, re.MULTILINE) is not None

    def _scale(self, key: str) -> Scale | None:
        if isinstance(self.scale, Scale) or not self.scale:
            return self.scale or None
        return parse_scale("" if self.scale == OWN else self.scale, key)


ANYTHING = Wanted()


def _on(signature: Signature | None) -> int:
    """The pitch class of a tonic."""
    assert signature is not None
    step = LETTERS.index(signature.tonic[0])
    return pitch(step, signature.tonic.count("#") - signature.tonic.count("b")) % 12
