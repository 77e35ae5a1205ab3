"""Devices: found without torch, and a device that was asked for by name is there or is an error."""

import subprocess
import sys

import pytest

from composer.api import DeviceError
from composer.system import device
from composer.system.device import resolve


@pytest.fixture
def machine(monkeypatch):
    """Pretend that the machine has so many CUDA devices, and torch such a build."""

    def have(devices, build="12.8"):
        monkeypatch.setattr(device, "driver", lambda: device.Driver(devices))
        monkeypatch.setattr(device, "torch_build", lambda: build)

    monkeypatch.delenv(device.DEVICE_VARIABLE, raising=False)
    return have


@pytest.mark.parametrize(
    ("devices", "build", "chosen"), [(0, "12.8", "cpu"), (1, "", "cpu"), (1, "12.8", "cuda"), (0, "", "cpu")]
)
def test_auto_takes_cuda_where_it_can_be_used(machine, devices, build, chosen):
    machine(devices, build)
    assert resolve() == chosen


def test_the_variable_says_what_auto_means_and_a_flag_wins(machine, monkeypatch):
    machine(2)
    monkeypatch.setenv(device.DEVICE_VARIABLE, "cpu")
    assert resolve("auto") == "cpu"
    assert resolve("cuda") == "cuda"
    monkeypatch.setenv(device.DEVICE_VARIABLE, "tpu")
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        resolve()


@pytest.mark.parametrize(
    ("devices", "build", "asked", "says"),
    [
        (0, "12.8", "cuda", "no CUDA device"),
        (1, "", "cuda", "built for the CPU only"),
        (2, "12.8", "cuda:7", "no device `cuda:7`"),
        (2, "12.8", "gpu", "unknown device 'gpu'"),
        (2, "12.8", "cuda:-1", "unknown device 'cuda:-1'"),
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


def test_a_device_that_this_torch_cannot_use_is_mentioned(machine, monkeypatch):
    machine(1, "")
    assert "built for the CPU only" in device.unused_cuda_warning()
    assert device.unused_cuda_warning("cpu") == ""
    monkeypatch.setenv(device.DEVICE_VARIABLE, "cpu")
    assert device.unused_cuda_warning() == ""
    monkeypatch.delenv(device.DEVICE_VARIABLE)
    machine(1)
    assert device.unused_cuda_warning() == ""
    machine(0, "")
    assert device.unused_cuda_warning() == ""


def test_without_torch_there_is_nothing_to_use_a_device_with(machine, monkeypatch):
    machine(1, "")
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    assert resolve() == "cpu"
    assert device.unused_cuda_warning() == ""
    with pytest.raises(DeviceError, match="torch is not installed"):
        resolve("cuda")


class Library:
    """The driver's library, with so many devices; `begun` and `counted` are what its calls answer."""

    devices, version, begun, counted = 3, 12040, 0, 0

    def __init__(self, name):
        assert name in {"libcuda.so.1", "nvcuda.dll"}

    def cuInit(self, flags):  # noqa: N802 - the driver's names
        return self.begun

    def cuDeviceGetCount(self, place):  # noqa: N802
        place._obj.value = self.devices
        return self.counted

    def cuDriverGetVersion(self, place):  # noqa: N802
        place._obj.value = self.version
        return 0

    def cuGetErrorString(self, code, place):  # noqa: N802
        place._obj.value = {304: b"OS call failed or operation not supported on this OS"}.get(code)
        return 0


@pytest.fixture
def library(monkeypatch):
    """A machine whose driver answers as it is told to, and a torch built for CUDA 12.8."""

    def answers(**told):
        monkeypatch.setattr(device.ctypes, "CDLL", type("Told", (Library,), told))
        device.driver.cache_clear()

    monkeypatch.delenv(device.DEVICE_VARIABLE, raising=False)
    monkeypatch.setattr(device, "torch_build", lambda: "12.8")
    yield answers
    device.driver.cache_clear()


def test_the_driver_is_asked(library):
    library()
    assert device.driver() == device.Driver(3, (12, 4))
    assert device.cuda_devices() == 3
    assert resolve() == "cuda"
    assert resolve("cuda:2") == "cuda:2"
    with pytest.raises(DeviceError, match="no device `cuda:7`") as caught:
        resolve("cuda:7")
    assert caught.value.hint == "the last one is cuda:2"


@pytest.mark.parametrize("told", [{"begun": 100}, {"begun": 34}, {"devices": 0}])
def test_a_driver_without_devices_is_nothing_to_speak_of(library, told):
    library(**told)
    assert resolve() == "cpu"
    assert device.unused_cuda_warning() == ""
    with pytest.raises(DeviceError, match="no CUDA device"):
        resolve("cuda")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"begun": 304}, "OS call failed or operation not supported on this OS (error 304)"),
        ({"begun": 803}, "error 803"),
        ({"counted": 999}, "error 999"),
        ({"version": 11040}, "its driver supports CUDA 11.4, and torch is built for 12.8"),
    ],
    ids=["no permission", "another driver than its library", "unknown", "old driver"],
)
def test_a_device_that_cannot_be_used_is_one_line_and_then_the_cpu(library, told, says):
    library(**told)
    assert resolve() == "cpu"
    assert says in device.unused_cuda_warning()
    assert len(device.unused_cuda_warning().splitlines()) == 1
    with pytest.raises(DeviceError) as caught:
        resolve("cuda:0")
    assert says in caught.value.message
    assert "--device cpu" in caught.value.hint


def test_a_driver_of_the_same_generation_or_a_newer_one_will_do(library):
    for version in (12000, 13010, 0):
        library(version=version)
        assert resolve() == "cuda"


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_without_a_driver_there_are_no_devices(monkeypatch, error):
    def missing(name):
        raise error(name)

    monkeypatch.setattr(device.ctypes, "CDLL", missing)
    assert device.driver.__wrapped__() == device.Driver()


def test_a_network_is_placed_or_it_is_said_why_not():
    import torch

    network = torch.nn.Linear(2, 2)
    assert device.move_network(network, "cpu") is network
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="`xpu` cannot be used: ") as caught:
            device.move_network(network, "xpu")
        assert "--device cpu" in caught.value.hint


def test_the_build_of_torch_is_known_without_importing_it():
    import torch

    assert device.torch_build() == (torch.version.cuda or "")
    script = "import sys; from composer.system import device; device.resolve(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
