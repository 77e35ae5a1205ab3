"""What is wanted of a tune, as the automaton takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from composer.formats.abc.forms import Counted, Form
from composer.formats.abc.keys import LETTERS, Signature, parse_key, pitch
from composer.formats.abc.palette import Palette
from composer.formats.abc.vocabulary import Vocabulary
from composer.formats.scales import Range, Scale, parse_scale

__all__ = ["ANYTHING", "OWN", "Wanted"]

OWN = "own"
"""The scale that is each key's own."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a tune must be so; what is empty, may be any. Meter, key and rhythm are as the dialect spells them.

    `scale` is the name of one on the key's tonic, OWN for that of the key's mode, or a scale on a tonic of its own,
    which is then the key's too. `words` are the wishes as the player gave them, by name.
    """

    key: str = ""
    mode: str = ""
    meter: str = ""
    rhythm: str = ""
    bars: int = 0
    range: Range | None = None
    scale: str | Scale = ""
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        """How many bars."""
        return Counted(self.bars) if self.bars else Form()

    @property
    def tones(self) -> bool:
        """Whether not all tones may be."""
        return self.range is not None or bool(self.scale)

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
        low, high = (self.range.low, self.range.high) if self.range is not None else (0, 127)
        return Palette(vocabulary, {each for each in range(low, high + 1) if scale is None or each in scale})

    def only(self, names: Iterable[str]) -> Wanted:
        """The wishes of these names alone."""
        kept = {name: getattr(self, name) for name in names}
        return Wanted(**kept, words={name: self.words[name] for name in kept})

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
