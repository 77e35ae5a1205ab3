"""Where to compute. Nothing here imports torch, so that composing on the CPU need not wait for it."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from composer.api import DeviceError

DEFAULT = "COMPOSER_DEVICE"
"""The environment variable that says what `auto` means for this user."""


def resolve(asked: str = "auto") -> str:
    """The device to use: `cpu`, `cuda`, `cuda:N` or `mps`.

    `auto` is what COMPOSER_DEVICE says, else CUDA where there is a usable device, else the CPU. Raises DeviceError
    for a device that was asked for by name, here or in COMPOSER_DEVICE, and is not there.
    """
    name = asked.strip().lower()
    if name == "auto":
        name = os.environ.get(DEFAULT, "").strip().lower() or "auto"
    if name == "auto":
        return "cuda" if cuda_devices() and torch_build() else "cpu"
    if name == "cpu":
        return name
    if name == "mps":
        return _mps()
    if re.fullmatch(r"cuda(:\d+)?", name):
        return _cuda(name)
    raise DeviceError(f"there is no device `{name}`", "it can be auto, cpu, cuda, cuda:N or mps")


def unused() -> str:
    """Why a CUDA device that is there cannot be used, as a line for the user; empty where there is no such case."""
    if cuda_devices() and find_spec("torch") and not torch_build():
        return "there is a CUDA device, but the torch that is installed is built for the CPU alone"
    return ""


@cache
def cuda_devices() -> int:
    """How many CUDA devices the driver has; 0 where there is no driver. The driver's own library is asked."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(name)
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


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


def _cuda(name: str) -> str:
    count = cuda_devices()
    if not count:
        raise DeviceError("there is no CUDA device that can be used", "use --device cpu, or auto")
    if not torch_build():
        raise DeviceError("the torch that is installed is built for the CPU alone", "install a CUDA build of torch")
    index = int(name.partition(":")[2] or 0)
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
