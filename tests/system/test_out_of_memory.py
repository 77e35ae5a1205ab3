"""If memory runs out, micro-batches are halved, with the same result."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_plugins import Calm

from composer.api import ComposerError
from composer.checkpoints.file import load
from composer.checkpoints.training_files import state_path
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.registry import plugins as registry
from composer.system.out_of_memory import DoesNotFit, is_oom, requested_memory
from composer.training.batch_rows import BatchAxes, rows_of
from composer.training.events import MicroBatchHalved, Started, Updated, Validated
from composer.training.gradient_accumulation import micro_batches
from composer.training.loop import train
from composer.training.resume import saved_header
from composer.training.run import TrainingRun
from composer.training.settings import Settings

SETTINGS = Settings(
    max_updates=12, epochs=100, batch_size=4, seq_length=16, validate_every=4, save_every=0, lr=0.01, precision="fp32"
)


@pytest.fixture
def run(letters, tunes, tmp_path):
    data = prepare(letters, [str(tunes)], SplitSettings(valid=0.2))
    return TrainingRun(Calm(), Calm.Config(), letters, data, tmp_path / "m.safetensors", SETTINGS)


def apart(ours, theirs):
    """Return the largest difference between two training states."""
    ours, theirs = (load(state_path(run.path)).weights for run in (ours, theirs))
    return max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours)


def test_same_weights_in_less_memory(run, tmp_path):
    whole, short = run, replace(run, model=Calm(fits=40), path=tmp_path / "short.safetensors")
    ours, theirs = list(train(whole)), list(train(short))
    assert [(event.update, event.rows) for event in theirs if isinstance(event, MicroBatchHalved)] == [(0, 2)]
    assert apart(whole, short) < 1e-5
    for kind, name in ((Updated, "monitor"), (Validated, "value")):
        values = [[getattr(event, name) for event in every if isinstance(event, kind)] for every in (ours, theirs)]
        assert values[1] == pytest.approx(values[0], abs=1e-5)


def test_resuming_keeps_the_micro_batch_size(run, tmp_path):
    stops = []
    short = replace(run, model=Calm(fits=40), stop=lambda: stops.append(1) or len(stops) == 5)
    list(train(short))
    assert saved_header(run.path).record["progress"]["max_rows"] == 2
    every = list(train(replace(run, model=Calm(fits=40), resume=True)))
    assert next(event for event in every if isinstance(event, Started)).update == 5
    assert not [event for event in every if isinstance(event, MicroBatchHalved)]
    other = replace(run, path=tmp_path / "through.safetensors")
    list(train(other))
    assert apart(run, other) < 1e-5


def test_out_of_memory_while_validating(run):
    """Batches have one row, but four are validated together."""

    def measured(fits):
        narrow = replace(run, settings=replace(SETTINGS, batch_size=1), model=Calm(fits=fits))
        vars(narrow)["valid_batches"] = run.valid_batches
        every = list(train(narrow))
        return [event.value for event in every if isinstance(event, Validated)], [
            event.rows for event in every if isinstance(event, MicroBatchHalved)
        ]

    values, halved = measured(40)
    assert halved == [2]
    assert values == pytest.approx(measured(10_000)[0], abs=1e-5)


def test_one_row_does_not_fit(run):
    with pytest.raises(ComposerError, match="not enough memory to train on one sequence of 16 steps") as caught:
        list(train(replace(run, model=Calm(fits=5))))
    assert "checkpoint_chunks" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("Storage size calculation overflowed with sizes=[4611686018427387904]"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_is_oom(error, expected):
    assert is_oom(error) is expected


def test_is_oom_of_a_real_allocation():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_oom(caught.value)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 3221225472 bytes.",
            "3.0 GiB",
        ),
        ("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 1 GiB", "20.0 MiB"),
        ("not enough memory: you tried to allocate 8 bytes", "8 bytes"),
        ("CUBLAS_STATUS_ALLOC_FAILED", ""),
    ],
)
def test_requested_memory(said, expected):
    assert requested_memory(RuntimeError(said)) == expected


def test_a_model_that_does_not_fit(run, monkeypatch):
    def too_large(*_):
        torch.empty(2**60, dtype=torch.uint8)

    with monkeypatch.context() as patch:
        patch.setattr(Calm, "network", too_large)
        with pytest.raises(DoesNotFit, match=r"the model does not fit into memory \(1,048,576\.0 TiB more"):
            list(train(run))
    monkeypatch.setattr(torch.optim.Adam, "step", too_large)
    with pytest.raises(DoesNotFit, match="this training does not fit"):
        list(train(run))
    assert not state_path(run.path).exists()


@pytest.mark.parametrize(("count", "most", "lengths"), [(8, 0, [8]), (8, 3, [3, 3, 2]), (1, 4, [1]), (0, 4, [])])
def test_micro_batches_are_even(count, most, lengths):
    found = micro_batches(count, most)
    assert [len(part) for part in found] == lengths
    assert [row for part in found for row in part] == list(range(count))


@pytest.mark.parametrize("name", ["lstm", "attn-lstm", "tiny"])
def test_select_and_concat_rows_of_any_state(run, name):
    """As many rows as layers or cells, so that only the network can show which axis has the rows."""
    model = run.model if name == "tiny" else registry.model(name)
    sizes = {"hidden": 4, "layers": 2, "embedding": 4, "window": 4}
    config = model.Config(**{key: size for key, size in sizes.items() if hasattr(model.Config(), key)})
    network = model.network(run.data.spec, config).eval()
    batch = run.train_batches.batch_at(0, 0)
    axes = BatchAxes(network, batch)
    assert not network.training
    for count in (1, 2, 4):
        some = rows_of(batch, range(count))
        _, state = network.loss(some, None)
        parts = [axes.select_rows(state, range(row, row + 1)) for row in range(count)]
        for row, part in enumerate(parts):
            _, own = network.loss(rows_of(batch, range(row, row + 1)), None)
            assert all(torch.allclose(ours, theirs, atol=1e-6) for ours, theirs in zip(part, own, strict=True))
        assert all(torch.equal(ours, theirs) for ours, theirs in zip(axes.concat_rows(parts), state, strict=True))
