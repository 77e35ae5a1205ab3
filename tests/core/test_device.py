"""Devices: found without torch, and a device that was asked for by name is there or is an error."""

import subprocess
import sys

import pytest

from composer.api import DeviceError
from composer.core import device
from composer.core.device import resolve


@pytest.fixture
def machine(monkeypatch):
    """Pretend that the machine has so many CUDA devices, and torch such a build."""

    def have(devices, build="12.8"):
        monkeypatch.setattr(device, "cuda_devices", lambda: devices)
        monkeypatch.setattr(device, "torch_build", lambda: build)

    monkeypatch.delenv(device.DEFAULT, raising=False)
    return have


@pytest.mark.parametrize(
    ("devices", "build", "chosen"), [(0, "12.8", "cpu"), (1, "", "cpu"), (1, "12.8", "cuda"), (0, "", "cpu")]
)
def test_auto_takes_cuda_where_it_can_be_used(machine, devices, build, chosen):
    machine(devices, build)
    assert resolve() == chosen


def test_the_variable_says_what_auto_means_and_a_flag_wins(machine, monkeypatch):
    machine(2)
    monkeypatch.setenv(device.DEFAULT, "cpu")
    assert resolve("auto") == "cpu"
    assert resolve("cuda") == "cuda"
    monkeypatch.setenv(device.DEFAULT, "tpu")
    with pytest.raises(DeviceError, match="no device `tpu`"):
        resolve()


@pytest.mark.parametrize(
    ("devices", "build", "asked", "says"),
    [
        (0, "12.8", "cuda", "no CUDA device"),
        (1, "", "cuda", "built for the CPU alone"),
        (2, "12.8", "cuda:7", "no device `cuda:7`"),
        (2, "12.8", "gpu", "no device `gpu`"),
        (2, "12.8", "cuda:-1", "no device `cuda:-1`"),
    ],
)
def test_a_device_by_name_that_is_not_there_is_an_error(machine, devices, build, asked, says):
    machine(devices, build)
    with pytest.raises(DeviceError, match=says) as caught:
        resolve(asked)
    assert caught.value.hint


def test_a_device_by_number(machine):
    machine(2)
    assert resolve("CUDA:1") == "cuda:1"


def test_mps_is_for_macs(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DeviceError, match="Macs"):
        resolve("mps")


def test_a_device_that_this_torch_cannot_use_is_mentioned(machine):
    machine(1, "")
    assert "built for the CPU" in device.unused()
    machine(1)
    assert device.unused() == ""
    machine(0, "")
    assert device.unused() == ""


def test_the_driver_is_asked(monkeypatch):
    class Driver:
        def __init__(self, name):
            assert name in {"libcuda.so.1", "nvcuda.dll"}

        def cuInit(self, flags):  # noqa: N802 - the driver's names
            return 0

        def cuDeviceGetCount(self, place):  # noqa: N802
            place._obj.value = 3
            return 0

    monkeypatch.setattr(device.ctypes, "CDLL", Driver)
    assert device.cuda_devices.__wrapped__() == 3
    monkeypatch.setattr(Driver, "cuInit", lambda self, flags: 100)
    assert device.cuda_devices.__wrapped__() == 0


def test_without_a_driver_there_are_no_devices(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(device.ctypes, "CDLL", missing)
    assert device.cuda_devices.__wrapped__() == 0


def test_the_build_of_torch_is_known_without_importing_it():
    import torch

    assert device.torch_build() == (torch.version.cuda or "")
    script = "import sys; from composer.core import device; device.resolve(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
