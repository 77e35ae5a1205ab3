"""The controls on a tune (`--key`, `--bars` and so on) in the form that the automaton enforces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from composer.formats.abc.dialect.dances import DANCES, TitleDances, dances_in
from composer.formats.abc.dialect.tables import ACCIDENTALS, RHYTHMS
from composer.formats.abc.grammar.allowed_notes import AllowedNotes, preferred_spellings
from composer.formats.abc.grammar.bar_plan import BarPlan, CountedBars, PlannedParts
from composer.formats.abc.grammar.vocabulary import Vocabulary
from composer.music.keys import LETTERS, parse_key, pitch_class
from composer.music.scales import Range, Scale, parse_scale

__all__ = ["OWN_KEY", "TuneControls"]

OWN_KEY = "own"
"""The scale of each tune's own key."""

MAX_CACHED = 256
"""Keys whose notes are cached, for each choice of range and scale: pieces with other plans have the same notes."""

_SPELLED = re.compile(r"([_^=])([A-Ga-g])")


@dataclass(frozen=True, slots=True)
class TuneControls:
    """Requirements on a tune; an empty field requires nothing. Meter, key and rhythm are spelled as in the dialect.

    `scale` names a scale on the key's tonic, is OWN_KEY, or is a Scale with a tonic that the key must share. A rhythm
    implies the meters of its dance. `primer` is the given start of the tune (or the whole tune to infill), which is
    exempt: it may name any dance and keeps its own spellings. `arguments` are the player's values by option name.
    `parts` are the numbers of bars of each part, if they are planned.
    """

    key: str = ""
    mode: str = ""
    meter: str = ""
    rhythm: str = ""
    bars: int = 0
    range: Range | None = None
    scale: str | Scale = ""
    primer: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[int, ...] = ()

    @property
    def bar_plan(self) -> BarPlan:
        if self.parts:
            return PlannedParts(self.parts)
        return CountedBars(self.bars) if self.bars else BarPlan()

    @property
    def restricts_tones(self) -> bool:
        return self.range is not None or bool(self.scale)

    @property
    def rhythms(self) -> tuple[str, ...]:
        """The rhythms that the tune may name."""
        if self.rhythm:
            return (self.rhythm,)
        return dances_in(self.meter) if self.meter and not self._names_rhythm else tuple(RHYTHMS)

    @property
    def title_dances(self) -> TitleDances | None:
        """The dances that a title may name; None for any."""
        if self.primer.startswith("T:") or self.rhythms == tuple(RHYTHMS):
            return None
        return TitleDances(self.rhythms)

    def allows_meter(self, meter: str) -> bool:
        danced = not self.rhythm or self._names_rhythm or meter in DANCES[self.rhythm].meters
        return danced and self.meter in ("", meter)

    def allows_key(self, key: str) -> bool:
        signature = parse_key(key)
        if signature is None or self.key not in ("", key) or self.mode not in ("", signature.mode):
            return False
        return not isinstance(self.scale, Scale) or pitch_class(signature.tonic) == pitch_class(self.scale.tonic)

    def allowed_notes(self, vocabulary: Vocabulary, key: str) -> AllowedNotes:
        written = frozenset(_SPELLED.findall(self.primer))
        return _allowed_notes(vocabulary, key, self.range, self._scale(key), written)

    def only(self, names: Iterable[str]) -> TuneControls:
        values = {name: getattr(self, name) for name in names}
        return TuneControls(**values, primer=self.primer, arguments={name: self.arguments[name] for name in values})

    @property
    def _names_rhythm(self) -> bool:
        """Whether the primer names the rhythm."""
        return re.search(r"^R:.*\n", self.primer, re.MULTILINE) is not None

    def _scale(self, key: str) -> Scale | None:
        if isinstance(self.scale, Scale) or not self.scale:
            return self.scale or None
        return parse_scale("" if self.scale == OWN_KEY else self.scale, key)


NO_CONTROLS = TuneControls()


@lru_cache(MAX_CACHED)
def _allowed_notes(
    vocabulary: Vocabulary, key: str, within: Range | None, scale: Scale | None, written: frozenset[tuple[str, str]]
) -> AllowedNotes:
    """Return the notes of a key, also those that the primer has `written` with accidentals: sign and letter."""
    if within is None and scale is None:
        return AllowedNotes(vocabulary)
    signature = parse_key(key)
    assert signature is not None
    low, high = (within.low, within.high) if within is not None else (0, 127)
    pitches = [each for each in range(low, high + 1) if scale is None or each in scale]
    spelled = {(LETTERS.index(letter.upper()), ACCIDENTALS[sign]) for sign, letter in written}
    return AllowedNotes(vocabulary, preferred_spellings(pitches, signature, scale, vocabulary, spelled))
