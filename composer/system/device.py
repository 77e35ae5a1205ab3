"""The device to compute on. Nothing imports torch at the top, so that generating on the CPU starts fast."""

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
"""The environment variable that sets the meaning of `auto`."""


class UnknownDevice(DeviceError, UsageError):
    """An unknown device name (exit code 2)."""


def resolve(requested: str = "auto") -> str:
    """Return the device to use: `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` is the value of COMPOSER_DEVICE, else CUDA if there is a usable device, else the CPU. Raises DeviceError
    for a device that was named, here or in COMPOSER_DEVICE, and is not available.
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
    raise UnknownDevice(f"unknown device '{name}'", "choose from auto, cpu, cuda, cuda:N, mps")


def unused_cuda_warning(requested: str = "auto") -> str:
    """Return a warning if `auto` does not use a CUDA device that seems to be there.

    Empty if there is none, if it is used, if a device was named, or without torch.
    """
    by_user = os.environ.get(DEVICE_VARIABLE, "").strip().lower()
    named = requested.strip().lower() != "auto" or by_user not in ("", "auto")
    if named or not find_spec("torch") or not (cuda_devices() or driver().problem):
        return ""
    obstacle = _cuda_problem()
    return f"using the CPU: there is a CUDA device, but {obstacle[0]}" if obstacle else ""


def move_network(network: N, device: str) -> N:
    """Move `network` to `device` and return it. Raises DeviceError if that does not work, or for lack of memory."""
    import torch

    try:
        (torch.ones(1, device=device) + 1).item()
        return network.to(device)
    except (RuntimeError, AssertionError) as error:  # the latter from a build of torch without it
        reason = str(error).strip().partition("\n")[0]
        raise DeviceError(f"`{device}` cannot be used: {reason}", "use --device cpu") from error


class Driver(NamedTuple):
    """The CUDA driver's number of `devices` and newest supported CUDA `version`, (0, 0) if unknown.

    `problem` is why an installed driver does not work.
    """

    devices: int = 0
    version: tuple[int, int] = (0, 0)
    problem: str = ""


@cache
def driver() -> Driver:
    """Ask the driver's own library, so that torch need not be imported."""
    try:
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        error = library.cuInit(0)
        if error:
            return Driver(problem="" if error in _NO_DEVICE_CODES else _driver_message(library, error))
        count, version = ctypes.c_int(0), ctypes.c_int(0)
        error = library.cuDeviceGetCount(ctypes.byref(count))
        if error:
            return Driver(problem=_driver_message(library, error))
        library.cuDriverGetVersion(ctypes.byref(version))
        return Driver(count.value, (version.value // 1000, version.value % 1000 // 10))
    except (OSError, AttributeError):  # no driver, or no library of that kind
        return Driver()


_NO_DEVICE_CODES = 34, 100
"""CUDA_ERROR_STUB_LIBRARY and CUDA_ERROR_NO_DEVICE."""


def _driver_message(library: ctypes.CDLL, code: int) -> str:
    """Return the driver's message for an error."""
    words = ctypes.c_char_p()
    library.cuGetErrorString(code, ctypes.byref(words))
    return f"{words.value.decode(errors='replace')} (error {code})" if words.value else f"error {code}"


def cuda_devices() -> int:
    """Return the driver's number of CUDA devices; 0 without a driver."""
    return driver().devices


@cache
def torch_build() -> str:
    """Return the CUDA version that torch was built for; empty for a CPU build, or without torch."""
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
    """Return why CUDA cannot be used, and a hint."""
    build, version = torch_build(), driver().version
    if driver().problem:
        return f"its driver fails: {driver().problem}", "check the driver and its permissions, or use --device cpu"
    if not cuda_devices():
        return "there is no CUDA device", "use --device cpu or --device auto"
    if not find_spec("torch"):
        return "torch is not installed", "install a CUDA build of torch, or use --device cpu"
    if not build:
        return "the installed torch is built for the CPU only", "install a CUDA build of torch"
    if any(version) and version[0] < int(build.partition(".")[0]):
        known = ".".join(map(str, version))
        return (
            f"its driver supports CUDA {known}, and torch is built for {build}",
            "install a newer driver or an older build of torch, or use --device cpu",
        )
    return None


def _cuda(name: str) -> str:
    obstacle = _cuda_problem()
    if obstacle:
        raise DeviceError(f"`{name}` cannot be used: {obstacle[0]}", obstacle[1])
    index, count = int(name.partition(":")[2] or 0), cuda_devices()
    if index >= count:
        raise DeviceError(f"no device `{name}`", f"use --device cuda:{count - 1}, the last one")
    return name


def _mps() -> str:
    if sys.platform != "darwin":
        raise DeviceError("device `mps` is only available on Macs", "use --device cpu or --device auto")
    import torch

    if not torch.backends.mps.is_available():
        raise DeviceError("this Mac has no device `mps` that torch can use", "use --device cpu")
    return "mps"
