"""Pieces learnt as one text."""

from dataclasses import replace

import pytest

from composer.api import OptionError
from composer.core.events import Validated


def test_what_went_before_a_piece_is_remembered(run, changed, events):
    afresh = events(run, Validated)
    stream = events(changed(run, stream=True), Validated)
    assert [each.value for each in afresh] != [each.value for each in stream]


def test_a_training_goes_on_only_as_it_began(run, changed, events):
    told = []
    events(replace(run, stop=lambda: told.append(1) or len(told) == 5))
    with pytest.raises(OptionError, match="stream"):
        events(replace(changed(run, stream=True), resume=True))
