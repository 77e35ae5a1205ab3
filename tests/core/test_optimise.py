"""How training descends: how often, how fast, and which settings make sense."""

import itertools
import math

import pytest

from composer.api import OptionError
from composer.core import optimise
from composer.core.optimise import Settings, learning_rate


def test_few_pieces_are_gone_through_more_often():
    assert optimise.epochs(Settings(), per_epoch=10) == 150
    assert optimise.epochs(Settings(), per_epoch=1000) == 20
    assert optimise.epochs(Settings(epochs=3), per_epoch=10) == 3


@pytest.mark.parametrize("schedule", ["constant", "exponential", "linear", "cosine"])
def test_the_learning_rate_rises_then_falls(schedule):
    settings = Settings(schedule=schedule, warmup=10)
    rates = [learning_rate(settings, 0.5, step, 200, 20) for step in range(200)]
    assert rates[0] < rates[5] < rates[10] == 0.5
    assert all(later <= before for before, later in itertools.pairwise(rates[10:]))
    assert rates[-1] > 0
    assert (rates[-1] == 0.5) == (schedule == "constant")


def test_the_exponential_schedule_falls_once_an_epoch():
    settings = Settings(schedule="exponential", decay=0.5, warmup=0)
    assert [learning_rate(settings, 1.0, step, 9, 3) for step in range(9)] == [1] * 3 + [0.5] * 3 + [0.25] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("lr", 0),
        ("lr", math.nan),
        ("batch", 0),
        ("clip", -0.1),
        ("clip", math.nan),
        ("momentum", -1.0),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name, value):
    with pytest.raises(OptionError, match=f"`{name}`"):
        Settings(**{name: value})


def test_a_text_has_no_gaps_for_its_pieces_to_be_aligned():
    with pytest.raises(OptionError, match="`align` cannot be 8 where `stream` is on"):
        Settings(stream=True, align=8)
    assert Settings(stream=True, align=1).stream
    assert Settings(align=8).align == 8


def test_a_snapshot_is_at_a_step():
    with pytest.raises(OptionError, match="snapshot"):
        Settings(snapshots=(-1,))
