"""The sample pieces of `composer plugins check`, and the controls that it tries."""

from dataclasses import dataclass
from typing import Literal

import pytest

from composer.api import OptionError, Piece, Representation, StepKind
from composer.api.fields import option
from composer.cli.plugin_check import example_controls
from composer.cli.sample_pieces import TUNES, sample_pieces
from composer.formats import FORMATS
from composer.formats.read import read_playable
from composer_abc import Abc
from composer_pianoroll import Pianoroll
from composer_text import Text


def reading(*suffixes):
    """Return a class that reads these files."""
    return type("Reader", (Representation,), {"suffixes": suffixes, "kind": StepKind.TOKENS})


@pytest.mark.parametrize("kind", [Abc, Pianoroll, Text])
def test_sample_pieces_are_read(kind):
    items = [item for source in sample_pieces(kind) for item in kind().read(source)]
    assert len(items) >= 3
    assert all(isinstance(item, Piece) for item in items), items


@pytest.mark.parametrize("suffix", [".abc", ".mid", ".musicxml"])
def test_sample_pieces_have_notes_in_any_format(suffix):
    found = sample_pieces(reading(suffix))
    assert len(found) == len(TUNES) + (suffix == ".mid")
    for source in found:
        assert source.path.suffix == suffix
        assert next(iter(read_playable(source))).notes


def test_midi_samples_have_drums_tempo_and_accents():
    *_, drums = sample_pieces(reading(".mid"))
    score = next(iter(read_playable(drums)))
    assert any(part.percussion for part in score.parts)
    assert score.tempos[0].bpm == 96
    assert len({note.velocity for part in score.parts for note in part.notes}) == 3


def test_unknown_formats_have_no_samples(composer):
    assert sample_pieces(reading(".beats")) == []
    assert FORMATS["text"].suffixes[0] in Text.suffixes


@dataclass(frozen=True)
class Controls:
    """Controls of every type."""

    bars: int = 0
    swing: float = 0.5
    staccato: bool = False
    mood: Literal["sad", "glad"] = "sad"
    key: str = option("", choices=["C", "D", "E"])
    range: str = ""
    title: str = ""
    odd: int = 1
    least: int | None = None
    old: bool = option(False, internal=True)

    def __post_init__(self):
        if self.odd % 2 == 0:
            raise OptionError("invalid value for --odd", "use an odd number")


def test_controls_are_tried_one_at_a_time():
    kind = type("Controlled", (Representation,), {"Controls": Controls})
    tried = [
        Controls(bars=2), Controls(swing=2.0), Controls(staccato=True), Controls(mood="glad"), Controls(key="G"),
        Controls(range="C4-C6"), Controls(least=2),
    ]  # fmt: skip
    assert list(example_controls(kind)) == tried
