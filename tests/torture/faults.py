"""The faults that the program promises to survive: the promise, the script that tries it, the tests that guard it."""

from __future__ import annotations

from typing import NamedTuple

SLICE_SECONDS, FUZZ_SECONDS, WHOLE = 60.0, 300.0, 3600.0
"""How long a script runs with one seed. One that imports much runs longer, one with a list to the end of the list."""


class Fault(NamedTuple):
    """A fault, tried by the script in this folder that `name` begins with; what follows in it is the kind.

    `test` is its short version in the suite.
    """

    name: str
    fault: str
    promise: str
    test: str
    slice_seconds: float = SLICE_SECONDS

    @property
    def script(self) -> str:
        """Return the name of the script, with the kind."""
        script, *kind = self.name.split(" ", 1)
        return " ".join([f"{script}.py", *kind])


TORTURE = (
    Fault(
        "interruptions kill",
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
        "interruptions signal",
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
        "an error or a result within 10 s of CPU time and 1 GB; work on much valid music may take longer",
        "tests/torture",
        WHOLE,
    ),
)
FUZZ = (
    *(
        Fault(
            f"mutated_files {kind}",
            f"{what} with anything changed",
            "pieces, rejections or an error of one line and a hint, in 5 s of CPU time",
            "tests/formats/test_fuzz.py",
            FUZZ_SECONDS,
        )
        for kind, what in {
            "abc": "ABC", "mid": "MIDI", "musicxml": "MusicXML", "mxl": "packed MusicXML", "krn": "kern", "mei": "MEI",
            "csv": "tables of text", "txt": "text",
        }.items()
    ),
    *(
        Fault(
            f"mutated_checkpoints {kind}",
            f"a checkpoint with {what} changed",
            "a model, or an error of one line and a hint",
            "tests/torture/test_torture.py",
            FUZZ_SECONDS,
        )
        for kind, what in {
            "header": "any field of its header", "arrays": "any array", "bytes": "any bytes (or its length)",
        }.items()
    ),
    Fault(
        "mutated_states",
        "a training state with any field, array or byte changed",
        "the training goes on, or an error of one line and a hint",
        "tests/training/test_damaged_states.py",
        FUZZ_SECONDS,
    ),
)  # fmt: skip
