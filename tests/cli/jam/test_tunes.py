"""Composing bar by bar, with the bundled models."""

from fractions import Fraction
from itertools import islice

import pytest

from composer.api import ComposerError, Note, Part, Score
from composer.api.sampling.params import SamplingParams
from composer.checkpoints import store
from composer.checkpoints.load import load_model
from composer.cli.jam.tunes import Settings, TuneComposer
from composer.music.bars import COMMON_TIME

PHRASE = Score(
    (Part(tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate((67, 69, 71, 74, 71, 69, 66)))),),
    meters=(COMMON_TIME,),
)
"""Two bars in G."""


@pytest.fixture(scope="module")
def models():
    return {name: load_model(store.bundled(name), name, "cpu") for name in ("abc", "grid", "pianoroll")}


def composer_of(model, **given):
    return TuneComposer(model, SamplingParams(), 3, **given)


def first_bars(events, count=None):
    """The first `count` bars, without what comes in between."""
    return list(islice((each for each in events if each is not None), count))


def pitches(bars):
    return [note.pitch for bar in bars for part in bar.parts for note in part.notes]


@pytest.mark.parametrize("name", ["abc", "grid"])
def test_music_is_endless_and_can_be_composed_anew_from_any_bar(models, name):
    tunes, settings = composer_of(models[name], bpm=90.0), Settings(0.9)
    bars = first_bars(tunes.endless(settings), 40)
    assert sum(bar.starts for bar in bars) >= 2, "the next piece follows"
    assert {bar.bpm for bar in bars} == {90.0}
    position = bars[5].position
    again = first_bars(composer_of(models[name], bpm=90.0).endless(settings, position), 6)
    assert [each.parts for each in again] == [each.parts for each in bars[6:12]], "at the same temperature, the same"
    wilder = first_bars(tunes.endless(Settings(1.6), position), 6)
    assert [each.parts for each in wilder] != [each.parts for each in again]


def test_the_density_of_a_piece(models):
    tunes = composer_of(models["grid"])
    assert tunes.has_density
    assert not composer_of(models["abc"]).has_density
    bars = first_bars(tunes.endless(Settings(1.0, "1")), 12)
    assert 0.8 < len(pitches(bars)) / float(sum(bar.length for bar in bars)) < 1.2


def test_no_passages_return_in_a_piece_with_a_density(models):
    tunes = composer_of(models["pianoroll"])

    def with_returns(settings):
        return sum("=" in first_bars(tunes.endless(settings), 1)[0].position.plan for _ in range(4))

    assert with_returns(Settings(1.0)) > 0
    assert with_returns(Settings(1.0, "2")) == 0
    tunes = composer_of(models["pianoroll"], controls=models["pianoroll"].representation.Controls(returns="plan"))
    with pytest.raises(ComposerError, match="--returns plan and --density cannot be used together"):
        first_bars(tunes.endless(Settings(1.0, "2")), 1)


@pytest.mark.parametrize("name", ["abc", "grid", "pianoroll"])
def test_an_answer_is_in_the_same_key_and_range(models, name):
    answer = first_bars(composer_of(models[name]).answer(PHRASE, Settings(0.8)))
    assert len(answer) == 2
    in_g_or_b_minor = {7, 9, 11, 0, 1, 2, 4, 6}  # the phrase has neither C nor C sharp
    assert {each % 12 for each in pitches(answer)} <= in_g_or_b_minor
    assert all(60 <= each <= 79 for each in pitches(answer))


def test_an_answer_is_where_the_phrase_is(models):
    """The model does not know these octaves; it hears the phrase in another one."""
    low = Score((Part(tuple(note._replace(pitch=note.pitch - 36) for note in PHRASE.notes)),), meters=(COMMON_TIME,))
    answer = first_bars(composer_of(models["grid"]).answer(low, Settings(0.8)))
    assert all(20 <= each <= 47 for each in pitches(answer))


def test_a_model_that_composes_nothing_is_given_up(models, monkeypatch):
    monkeypatch.setattr("composer.cli.jam.tunes.score_of", lambda *_: None)
    monkeypatch.setattr("composer.cli.jam.tunes.MAX_SILENT", 3)
    controls = models["grid"].representation.Controls(bars=1)
    with pytest.raises(ComposerError, match="3 pieces in a row have no notes"):
        first_bars(composer_of(models["grid"], controls=controls).endless(Settings(1.0)), 1)
