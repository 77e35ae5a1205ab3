"""The faults that the program promises to survive: the promise, the script that tries it, the tests that guard it.

Each also has the code that its script exercises, as patterns of git and Python: results count until some of it changes.
`tests/torture/test_torture.py` compares it with what the scripts import.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SLICE_SECONDS, FUZZ_SECONDS, WHOLE = 60.0, 300.0, 3600.0
"""How long a script runs with one seed. One that imports much runs longer, one with a list to the end of the list."""


PROGRAM = ("composer/**/*", "plugins/**/*")
"""All of the program: for scripts that run many commands."""

_API = ("composer/__init__.py", "composer/api/*.py")
_MODELS = ("composer/api/sampling/*.py", "composer/toolkit/__init__.py", "composer/toolkit/models/*.py")
_TOOLKIT = ("composer/toolkit/__init__.py", "composer/toolkit/representations/*.py")
_FORMATS = (
    "composer/music/*.py", "composer/music/voices/*.py", "composer/formats/*.py", "composer/formats/*/__init__.py",
    *(f"composer/formats/midi/{name}.py" for name in ("beats", "quantity", "text", "tracks", "writer")),
    *(f"composer/formats/musicxml/{name}.py" for name in ("bar_lines", "library", "measures", "percussion", "writer")),
)  # fmt: skip
"""The table of formats, and the writers that it names."""
_NOTES = (
    *_TOOLKIT, "composer/formats/abc/file.py", "plugins/composer_grid/**/*", "plugins/composer_pianoroll/**/*",
)  # fmt: skip
_READ_NOTES = (*_API, *_FORMATS, *_NOTES)
_CACHED = ("composer/formats/musicxml/cache.py", "composer/system/*.py")
_MUSICXML = (*_READ_NOTES, "composer/formats/musicxml/*.py", "composer/system/*.py")
_TEXT = (*_API, *_FORMATS, *_TOOLKIT, "plugins/composer_text/**/*")

READERS: Mapping[str, Sequence[str]] = {
    "abc": (*_READ_NOTES, "composer/formats/abc/**/*", "plugins/composer_abc/**/*"),
    "mid": (*_READ_NOTES, "composer/formats/midi/*.py"),
    "musicxml": _MUSICXML,
    "mxl": _MUSICXML,
    "krn": (*_READ_NOTES, *_CACHED, "composer/formats/musicxml/attributes.py", "composer/formats/kern/*.py"),
    "mei": (*_MUSICXML, "composer/formats/kern/*.py", "composer/formats/mei/*.py"),
    "csv": _TEXT,
    "txt": _TEXT,
}
"""The code that reads files of music and text, by suffix."""

SAVING = (*_API, *_MODELS, *_TOOLKIT, "composer/checkpoints/*.py", "composer/registry/*.py", "composer/system/*.py",
          "plugins/composer_lstm/**/*", "plugins/composer_text/**/*")  # fmt: skip
"""Saving and loading a small model of text."""

CHECKPOINTS = (
    *SAVING, *_FORMATS, *_NOTES, "composer/formats/abc/**/*", "composer/cli/__init__.py", "composer/cli/render/*.py",
    "composer/cli/models/*.py", "plugins/**/*",
)  # fmt: skip
"""Loading the bundled models, and what is shown of them."""

TRAINING = (
    *_API, *_MODELS, *_FORMATS, "composer/*.py", "composer/check/*.py", "composer/checkpoints/*.py",
    "composer/cli/*.py", "composer/cli/commands/__init__.py", "composer/cli/commands/train.py",
    "composer/cli/config/*.py", "composer/cli/gen/*.py", "composer/cli/output/*.py", "composer/cli/render/*.py",
    "composer/cli/train/*.py", "composer/data/*.py", "composer/distributed/*.py", "composer/formats/abc/**/*",
    "composer/generation/*.py", "composer/registry/*.py", "composer/system/*.py", "composer/training/*.py",
    "plugins/composer_abc/**/*", "plugins/composer_lstm/**/*", "plugins/composer_markov/**/*",
)  # fmt: skip
"""`composer train abc --model lstm`, with a baseline."""


class Fault(NamedTuple):
    """A fault, tried by the script in this folder that `name` begins with; what follows in it is the kind.

    `test` is its short version in the suite. Results count until some of `code` changes.
    """

    name: str
    fault: str
    promise: str
    test: str
    code: Sequence[str]
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
        TRAINING,
    ),
    Fault(
        "write_stages",
        "a kill or a full disk at each line that writes",
        "the old or the new file, whole; the next run removes what is left over",
        "tests/torture/test_torture.py",
        SAVING,
    ),
    Fault(
        "interruptions signal",
        "Ctrl-C, SIGTERM or SIGHUP at any moment of a training",
        "state and model are saved, exit code 130, 143 or 129, no traceback; resumed, the same weights",
        "tests/cli/test_interrupts.py",
        TRAINING,
    ),
    Fault(
        "interrupted_commands",
        "Ctrl-C, SIGTERM or SIGHUP at any moment of any other command",
        "exit code 130, 143 or 129, no traceback; each file is whole or not there, and the next run writes all",
        "tests/cli/test_interrupts.py",
        PROGRAM,
        FUZZ_SECONDS,
    ),
    Fault(
        "readers",
        "reads of a model that is saved all the time",
        "each read gets one whole version and its digest, and the model is never missing",
        "tests/torture/test_torture.py",
        SAVING,
    ),
    Fault(
        "concurrent_names",
        "two runs under one name, or into the same files",
        "what a run reports is there, or it is refused in one line",
        "tests/cli/train",
        PROGRAM,
    ),
    Fault(
        "hostile_inputs",
        "files made to take all memory, time or pipes",
        "an error or a result within 10 s of CPU time and 1 GB; work on much valid music may take longer",
        "tests/torture",
        PROGRAM,
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
            READERS[kind],
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
            CHECKPOINTS,
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
        TRAINING,
        FUZZ_SECONDS,
    ),
)  # fmt: skip
