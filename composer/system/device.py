"""Where to compute. Nothing here imports torch, so that composing on the CPU need not wait for it."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from composer.api import DeviceError, UsageError

if TYPE_CHECKING:
    import torch

N = TypeVar("N", bound="torch.nn.Module")

DEVICE_VARIABLE = "COMPOSER_DEVICE"
"""The environment variable that says what `auto` means for this user."""


class UnknownDevice(DeviceError, UsageError):
    """A name that no device has (exit code 2)."""


def resolve(requested: str = "auto") -> str:
    """The device to use: `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` is what COMPOSER_DEVICE says, else CUDA where there is a usable device, else the CPU. Raises DeviceError
    for a device that was asked for by name, here or in COMPOSER_DEVICE, and is not there.
    """
    name = requested.strip().lower()
    if name == "auto":
        name = os.environ.get(DEVICE_VARIABLE, "").strip().lower() or "auto"
    if name == "auto":
        return "cpu" if _cuda_problem() else "cuda"
    if name == "cpu":
        return name
    if name == "mps":
        return _mps()
    if re.fullmatch(r"cuda(:\d+)?", name):
        return _cuda(name)
    raise UnknownDevice(f"there is no device `{name}`", "it can be auto, cpu, cuda, cuda:N or mps")


def unused_cuda_warning(requested: str = "auto") -> str:
    """Why `auto` passes over a CUDA device that seems to be there, as a line for the user.

    Empty where there is none, where it is used, where a device was named, or where nothing but composing on the CPU is
    installed.
    """
    named = requested.strip().lower() != "auto" or os.environ.get(DEVICE_VARIABLE, "").strip().lower() not in (
        "",
        "auto",
    )
    if named or not find_spec("torch") or not (cuda_devices() or driver().problem):
        return ""
    obstacle = _cuda_problem()
    return f"there is a CUDA device, but {obstacle[0]}; the CPU is used" if obstacle else ""


def move_network(network: N, device: str) -> N:
    """`network` on `device`. Raises DeviceError where the device is there and yet does nothing, or has no room."""
    import torch

    try:
        (torch.ones(1, device=device) + 1).item()
        return network.to(device)
    except (RuntimeError, AssertionError) as error:  # the latter from a build of torch without it
        reason = str(error).strip().partition("\n")[0]
        raise DeviceError(f"`{device}` cannot be used: {reason}", "use --device cpu") from error


class Driver(NamedTuple):
    """What the CUDA driver says: how many `devices` there are, the newest CUDA `version` it runs, (0, 0) if unknown.

    `problem` is why it can do nothing, where it is there, and devices may be too.
    """

    devices: int = 0
    version: tuple[int, int] = (0, 0)
    problem: str = ""


@cache
def driver() -> Driver:
    """The driver's own library is asked, so that torch need not be imported."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        begun = library.cuInit(0)
        if begun:
            return Driver(problem="" if begun in _NO_DEVICE_CODES else _driver_message(library, begun))
        count, version = ctypes.c_int(0), ctypes.c_int(0)
        counted = library.cuDeviceGetCount(ctypes.byref(count))
        if counted:
            return Driver(problem=_driver_message(library, counted))
        library.cuDriverGetVersion(ctypes.byref(version))
        return Driver(count.value, (version.value // 1000, version.value % 1000 // 10))
    except (OSError, AttributeError):  # no driver, or no library of that kind
        return Driver()


_NO_DEVICE_CODES = 34, 100
"""What a stub of the library answers, and a driver without a device (CUDA_ERROR_STUB_LIBRARY, CUDA_ERROR_NO_DEVICE)."""


def _driver_message(library: ctypes.CDLL, code: int) -> str:
    """The driver's words for an error."""
    words = ctypes.c_char_p()
    library.cuGetErrorString(code, ctypes.byref(words))
    return f"{words.value.decode(errors='replace')} (error {code})" if words.value else f"error {code}"


def cuda_devices() -> int:
    """How many CUDA devices the driver has; 0 where there is no driver."""
    return driver().devices


@cache
def torch_build() -> str:
    """The CUDA version that torch was built for; empty for a CPU build, or where torch is not installed."""
    found = find_spec("torch")
    if found is None or found.origin is None:
        return ""
    try:
        text = (Path(found.origin).parent / "version.py").read_text("utf-8")
    except OSError:
        return ""
    match = re.search(r"^cuda\b[^=\n]*=\s*['\"]([\d.]+)['\"]", text, re.MULTILINE)
    return match.group(1) if match else ""


def _cuda_problem() -> tuple[str, str] | None:
    """Why CUDA cannot be used, and the way out."""
    build, version = torch_build(), driver().version
    if driver().problem:
        return f"its driver says: {driver().problem}", "look at the driver and at who may use it, or use --device cpu"
    if not cuda_devices():
        return "there is no CUDA device", "use --device cpu, or auto"
    if not find_spec("torch"):
        return "torch is not installed", "install a CUDA build of torch, or use --device cpu"
    if not build:
        return "the torch that is installed is built for the CPU alone", "install a CUDA build of torch"
    if any(version) and version[0] < int(build.partition(".")[0]):
        known = ".".join(map(str, version))
        return (
            f"its driver is for CUDA {known} and torch is built for {build}",
            "install a newer driver or an older build of torch, or use --device cpu",
        )
    return None


def _cuda(name: str) -> str:
    obstacle = _cuda_problem()
    if obstacle:
        raise DeviceError(f"`{name}` cannot be used: {obstacle[0]}", obstacle[1])
    index, count = int(name.partition(":")[2] or 0), cuda_devices()
    if index >= count:
        raise DeviceError(f"there is no device `{name}`", f"the last one is cuda:{count - 1}")
    return name


def _mps() -> str:
    if sys.platform != "darwin":
        raise DeviceError("`mps` is there on Macs only", "use --device cpu, or auto")
    import torch

    if not torch.backends.mps.is_available():
        raise DeviceError("this Mac has no device `mps` that torch can use", "use --device cpu")
    return "mps"
