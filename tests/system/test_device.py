"""Finding devices without torch, and errors of devices that are not available."""

import subprocess
import sys

import pytest

from composer.api import DeviceError
from composer.system import device
from composer.system.device import resolve


@pytest.fixture
def machine(monkeypatch):
    """Simulate a number of CUDA devices and a build of torch."""

    def have(devices, build="12.8"):
        monkeypatch.setattr(device, "driver", lambda: device.Driver(devices))
        monkeypatch.setattr(device, "torch_build", lambda: build)

    monkeypatch.delenv(device.DEVICE_VARIABLE, raising=False)
    return have


@pytest.mark.parametrize(
    ("devices", "build", "chosen"), [(0, "12.8", "cpu"), (1, "", "cpu"), (1, "12.8", "cuda"), (0, "", "cpu")]
)
def test_auto(machine, devices, build, chosen):
    machine(devices, build)
    assert resolve() == chosen


def test_environment_variable(machine, monkeypatch):
    machine(2)
    monkeypatch.setenv(device.DEVICE_VARIABLE, "cpu")
    assert resolve("auto") == "cpu"
    assert resolve("cuda") == "cuda"
    monkeypatch.setenv(device.DEVICE_VARIABLE, "tpu")
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        resolve()


@pytest.mark.parametrize(
    ("devices", "build", "asked", "expected"),
    [
        (0, "12.8", "cuda", "no CUDA device"),
        (1, "", "cuda", "built for the CPU only"),
        (2, "12.8", "cuda:7", "no device `cuda:7`"),
        (2, "12.8", "gpu", "unknown device 'gpu'"),
        (2, "12.8", "cuda:-1", "unknown device 'cuda:-1'"),
    ],
)
def test_missing_devices(machine, devices, build, asked, expected):
    machine(devices, build)
    with pytest.raises(DeviceError, match=expected) as caught:
        resolve(asked)
    assert caught.value.hint


def test_device_number(machine):
    machine(2)
    assert resolve("CUDA:1") == "cuda:1"


def test_mps(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DeviceError, match="Macs"):
        resolve("mps")


def test_warning_about_an_unused_device(machine, monkeypatch):
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


def test_no_warning_without_torch(machine, monkeypatch):
    machine(1, "")
    monkeypatch.setattr(device, "find_spec", lambda name: None)
    assert resolve() == "cpu"
    assert device.unused_cuda_warning() == ""
    with pytest.raises(DeviceError, match="torch is not installed"):
        resolve("cuda")


class Library:
    """A driver library with so many devices; `begun` and `counted` are the results of its calls."""

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
    """A machine with a simulated driver, and a torch built for CUDA 12.8."""

    def driver_library(**results):
        monkeypatch.setattr(device.ctypes, "CDLL", type("Simulated", (Library,), results))
        device.driver.cache_clear()

    monkeypatch.delenv(device.DEVICE_VARIABLE, raising=False)
    monkeypatch.setattr(device, "torch_build", lambda: "12.8")
    yield driver_library
    device.driver.cache_clear()


def test_driver(library):
    library()
    assert device.driver() == device.Driver(3, (12, 4))
    assert device.cuda_devices() == 3
    assert resolve() == "cuda"
    assert resolve("cuda:2") == "cuda:2"
    with pytest.raises(DeviceError, match="no device `cuda:7`") as caught:
        resolve("cuda:7")
    assert caught.value.hint == "use --device cuda:2, the last one"


@pytest.mark.parametrize("results", [{"begun": 100}, {"begun": 34}, {"devices": 0}])
def test_driver_without_devices(library, results):
    library(**results)
    assert resolve() == "cpu"
    assert device.unused_cuda_warning() == ""
    with pytest.raises(DeviceError, match="no CUDA device"):
        resolve("cuda")


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({"begun": 304}, "OS call failed or operation not supported on this OS (error 304)"),
        ({"begun": 803}, "error 803"),
        ({"counted": 999}, "error 999"),
        ({"version": 11040}, "its driver supports CUDA 11.4, and torch is built for 12.8"),
    ],
    ids=["no permission", "another driver than its library", "unknown", "old driver"],
)
def test_driver_problems(library, results, expected):
    library(**results)
    assert resolve() == "cpu"
    assert expected in device.unused_cuda_warning()
    assert len(device.unused_cuda_warning().splitlines()) == 1
    with pytest.raises(DeviceError) as caught:
        resolve("cuda:0")
    assert expected in caught.value.message
    assert "--device cpu" in caught.value.hint


def test_driver_versions(library):
    for version in (12000, 13010, 0):
        library(version=version)
        assert resolve() == "cuda"


@pytest.mark.parametrize("error", [OSError, AttributeError])
def test_without_a_driver(monkeypatch, error):
    def missing(name):
        raise error(name)

    monkeypatch.setattr(device.ctypes, "CDLL", missing)
    assert device.driver.__wrapped__() == device.Driver()


def test_move_network():
    import torch

    network = torch.nn.Linear(2, 2)
    assert device.move_network(network, "cpu") is network
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="`xpu` cannot be used: ") as caught:
            device.move_network(network, "xpu")
        assert "--device cpu" in caught.value.hint


def test_torch_build():
    import torch

    assert device.torch_build() == (torch.version.cuda or "")
    script = "import sys; from composer.system import device; device.resolve(); print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
