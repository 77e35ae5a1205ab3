"""The faults that the program promises to survive: the promise, the script that tries it, the tests that guard it."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """A fault, tried by the script `name`.py in this folder for any time; `test` is its short version in the suite."""

    name: str
    fault: str
    promise: str
    test: str


TORTURE = (
    Fault(
        "kills",
        "`kill -9` while training",
        "resumed, the model has the same weights, bit by bit; nothing is left over",
        "tests/training/test_resume.py",
    ),
    Fault(
        "write_stages",
        "a kill or a full disk at each line that writes",
        "the old or the new file, whole; the next run removes what is left over",
        "tests/torture/test_torture.py",
    ),
    Fault(
        "signals",
        "Ctrl-C, SIGTERM or SIGHUP at any moment of a training",
        "state and model are saved, exit code 130, 143 or 129, no traceback; resumed, the same weights",
        "tests/cli/test_interrupts.py",
    ),
    Fault(
        "readers",
        "reads of a model that is saved all the time",
        "each read gets one whole version and its digest, and the model is never missing",
        "tests/torture/test_torture.py",
    ),
    Fault(
        "concurrent_names",
        "two runs under one name, or into the same files",
        "what a run reports is there, or it is refused in one line",
        "tests/cli/train",
    ),
    Fault(
        "hostile_inputs",
        "files made to take all memory, time or pipes",
        "an error or a result within 10 s of CPU time and 1 GB, but for the time to train on much valid text",
        "tests/torture",
    ),
)
FUZZ = (
    Fault(
        "mutated_files",
        "music files with anything changed",
        "pieces, rejections or an error of one line and a hint, in 5 s of CPU time",
        "tests/formats/test_fuzz.py",
    ),
    Fault(
        "mutated_checkpoints",
        "checkpoints with any field, array or byte changed",
        "a model, or an error of one line and a hint",
        "tests/torture/test_torture.py",
    ),
)
