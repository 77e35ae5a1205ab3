"""Epochs, learning rate, settings and precision."""

import itertools
import math

import pytest
import torch

from composer.api import DeviceError, OptionError
from composer.training import optimizer as optimizers
from composer.training.optimizer import learning_rate
from composer.training.settings import Settings


@pytest.fixture
def without_bf16(monkeypatch):
    """A processor that reports matrix units for bf16, with a library that rejects it."""
    forward = torch.nn.LSTM.forward

    def refusing(*arguments):
        if torch.is_autocast_enabled("cpu"):
            raise RuntimeError("could not create a primitive descriptor. Run workload with ONEDNN_VERBOSE=all")
        return forward(*arguments)

    monkeypatch.setattr(torch.nn.LSTM, "forward", refusing)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    optimizers.bf16_obstacle.cache_clear()
    yield
    optimizers.bf16_obstacle.cache_clear()


def test_more_epochs_for_few_pieces():
    assert optimizers.epoch_count(Settings(), updates_per_epoch=10) == 150
    assert optimizers.epoch_count(Settings(), updates_per_epoch=1000) == 20
    assert optimizers.epoch_count(Settings(epochs=3), updates_per_epoch=10) == 3


@pytest.mark.parametrize("schedule", ["constant", "exponential", "linear", "cosine"])
def test_warmup_and_schedule(schedule):
    settings = Settings(schedule=schedule, warmup=10)
    rates = [learning_rate(settings, 0.5, step, 200, 20) for step in range(200)]
    assert rates[0] < rates[5] < rates[10] == 0.5
    assert all(later <= before for before, later in itertools.pairwise(rates[10:]))
    assert rates[-1] > 0
    assert (rates[-1] == 0.5) == (schedule == "constant")


def test_exponential_schedule():
    settings = Settings(schedule="exponential", decay=0.5, warmup=0)
    assert [learning_rate(settings, 1.0, step, 9, 3) for step in range(9)] == [1] * 3 + [0.5] * 3 + [0.25] * 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("lr", 0),
        ("lr", math.nan),
        ("batch_size", 0),
        ("max_grad_norm", -0.1),
        ("max_grad_norm", math.nan),
        ("momentum", -1.0),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_values_out_of_range_are_errors(name, value):
    with pytest.raises(OptionError, match=f"`{name}`"):
        Settings(**{name: value})


def test_align_excludes_contiguous():
    with pytest.raises(OptionError, match="`align` cannot be combined with `contiguous`"):
        Settings(contiguous=True, align=8)
    assert Settings(contiguous=True, align=1).contiguous
    assert Settings(align=8).align == 8


def test_snapshots_must_not_be_negative():
    with pytest.raises(OptionError, match="snapshot"):
        Settings(snapshots=(-1,))


def test_the_chosen_precision_runs():
    kind = optimizers.choose_precision("auto", "cpu")
    lstm = torch.nn.LSTM(4, 4)
    with optimizers.autocast(kind, "cpu"):
        lstm(torch.zeros(2, 1, 4))[0].float().sum().backward()
    assert optimizers.choose_precision(kind, "cpu") == kind


@pytest.mark.usefixtures("without_bf16")
def test_bf16_is_not_chosen_if_it_does_not_run():
    assert optimizers.choose_precision("auto", "cpu") == "fp32"
    with pytest.raises(DeviceError, match=r"`cpu` cannot train in bf16: could not create a primitive descriptor$"):
        optimizers.choose_precision("bf16", "cpu")
    assert optimizers.choose_precision("fp32", "cpu") == "fp32"


@pytest.mark.parametrize("amx", [True, False])
def test_bf16_is_chosen_if_it_is_fast(monkeypatch, amx):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(optimizers, "bf16_obstacle", lambda device: "")
    assert optimizers.choose_precision("auto", "cpu") == ("bf16" if amx else "fp32")
    assert optimizers.choose_precision("bf16", "cpu") == "bf16"


def test_trying_bf16_draws_no_random_numbers():
    optimizers.bf16_obstacle.cache_clear()
    before = torch.get_rng_state()
    optimizers.bf16_obstacle("cpu")
    assert torch.equal(torch.get_rng_state(), before)
