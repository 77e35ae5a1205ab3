"""Training on all pieces as one text."""

from dataclasses import replace

import pytest

from composer.api import OptionError, UsageError
from composer.api.network import Measurement
from composer.data.dataset import prepare
from composer.training.trainer import Trainer


def test_the_state_is_carried_across_pieces(run, changed):
    run = changed(run, contiguous=True)
    trainer = Trainer.start(run)
    trainer.start_phase(trainer.phases[0])
    for window in run.train_batches.epoch_batches(0):
        trainer.train_step(window, 0.05)
    measured = trainer.validate()
    trainer.network.eval()

    def nats(forgetting):
        """Return the losses on the same batches, with or without resets at the start of pieces."""
        total, stream = Measurement(), None
        for window in run.valid_batches.epoch_batches(0):
            batch = replace(window, reset=window.inputs == run.data.spec.end) if forgetting else window
            measure, stream = trainer.network.evaluate(batch, stream)
            total += measure
        return total.mean

    assert measured == pytest.approx(nats(forgetting=False), abs=1e-6)
    assert abs(measured - nats(forgetting=True)) > 1e-4


def test_contiguous_excludes_augment(run, changed, events, letters, tunes):
    data = prepare(letters, [str(tunes)], run.data.split, augment=True)
    with pytest.raises(UsageError, match="--augment cannot be combined with --set contiguous=on") as caught:
        events(replace(changed(run, contiguous=True), data=data))
    assert "--from" in caught.value.hint
    assert events(replace(run, data=data))


def test_contiguous_cannot_change_on_resume(run, changed, events):
    calls = []
    events(replace(run, stop=lambda: calls.append(1) or len(calls) == 5))
    with pytest.raises(OptionError, match="contiguous"):
        events(replace(changed(run, contiguous=True), resume=True))
