"""An unusable CUDA device causes one warning, and the CPU is used."""

import pytest

from composer.system import device


@pytest.fixture
def machine(monkeypatch):
    """A machine with a CUDA device, whose torch is built for the CPU alone."""
    monkeypatch.setattr(device, "driver", lambda: device.Driver(1, (12, 4)))
    monkeypatch.setattr(device, "torch_build", lambda: "")


LINE = "warning: using the CPU: there is a CUDA device, but the installed torch is built for the CPU only"


@pytest.mark.usefixtures("machine")
def test_auto_warns_once_of_an_unusable_device(composer, checkpoint, tunes):
    generated = composer("gen", "abc", "--checkpoint", checkpoint, "--length", "40", "--seed", "1")
    measured = composer("eval", "abc", tunes, "--checkpoint", checkpoint)
    for done in (generated, measured):
        assert done.code == 0, done.err
        assert done.err.splitlines().count(LINE) == 1
    assert generated.out.startswith("X:1\n")


@pytest.mark.usefixtures("machine")
def test_no_warning_with_device_cpu(composer, checkpoint, monkeypatch):
    arguments = ("gen", "abc", "--checkpoint", checkpoint, "--length", "40", "--seed", "1")
    assert LINE not in composer(*arguments, "--device", "cpu").err
    monkeypatch.setenv("COMPOSER_DEVICE", "cpu")
    assert LINE not in composer(*arguments).err


@pytest.mark.parametrize("command", ["gen", "eval"])
def test_missing_device(composer, checkpoint, tunes, monkeypatch, command):
    monkeypatch.setattr(device, "driver", lambda: device.Driver(2, (12, 4)))
    monkeypatch.setattr(device, "torch_build", lambda: "12.8")
    files = [tunes] if command == "eval" else []
    done = composer(command, "abc", *files, "--checkpoint", checkpoint, "--device", "cuda:7")
    done.failed("no device `cuda:7`", "use --device cuda:1")


def test_broken_device_is_not_blamed_on_the_checkpoint(composer, checkpoint, monkeypatch):
    import torch

    if torch.cuda.is_available():
        pytest.skip("here it does something")
    monkeypatch.setattr(device, "driver", lambda: device.Driver(1, (12, 4)))
    monkeypatch.setattr(device, "torch_build", lambda: "12.8")
    composer("gen", "abc", "--checkpoint", checkpoint).failed("`cuda` cannot be used", "--device cpu")
