"""Pieces learnt as one text."""

from dataclasses import replace

import pytest

from composer.api import OptionError, UsageError
from composer.api.network import Measurement
from composer.data.dataset import prepare
from composer.training.trainer import Trainer


def test_what_went_before_a_piece_is_remembered(run, changed):
    run = changed(run, contiguous=True)
    learner = Trainer.start(run)
    learner.start_phase(learner.phases[0])
    for window in run.train_batches.epoch_batches(0):
        learner.train_step(window, 0.05)
    measured = learner.validate()
    learner.network.eval()

    def nats(forgetting):
        """On the same windows, where the network may be told to forget as a piece begins."""
        total, stream = Measurement(), None
        for window in run.valid_batches.epoch_batches(0):
            batch = replace(window, reset=window.inputs == run.data.spec.end) if forgetting else window
            measure, stream = learner.network.evaluate(batch, stream)
            total += measure
        return total.mean

    assert measured == pytest.approx(nats(forgetting=False), abs=1e-6)
    assert abs(measured - nats(forgetting=True)) > 1e-4


def test_pieces_are_not_followed_by_themselves_in_other_keys(run, changed, events, letters, tunes):
    data = prepare(letters, [str(tunes)], run.data.split, augment=True)
    with pytest.raises(UsageError, match="--augment and --set contiguous=on") as caught:
        events(replace(changed(run, contiguous=True), data=data))
    assert "--from" in caught.value.hint
    assert events(replace(run, data=data))


def test_a_training_goes_on_only_as_it_began(run, changed, events):
    told = []
    events(replace(run, stop=lambda: told.append(1) or len(told) == 5))
    with pytest.raises(OptionError, match="contiguous"):
        events(replace(changed(run, contiguous=True), resume=True))
