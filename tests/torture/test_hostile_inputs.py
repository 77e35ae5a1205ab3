"""A few hostile inputs, each in a process of its own: an answer in one line, and less than 1 GB of memory."""

import os

import pytest
from hostile_cases import CASES
from hostile_files import make_removable

pytest.importorskip("resource", reason="no limits for processes on this system")

from hostile_inputs import MAX_MEMORY, command

FEW = [
    ("device", "check"), ("device on stdin", "replay"), ("zip: 2,000 overlapping", "check"),
    ("kern: splits 16 times", "check"), ("kern: 30 MB of comments", "check"),
    ("abc: line of 50 MB", "show"), ("checkpoint: layers=10**9", "gen"), ("replay: length", "replay"),
    ("bad files among models", "plugins"),
]  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes and devices on this system")
@pytest.mark.parametrize("name", FEW, ids=" ".join)
def test_hostile_input(tmp_path, name):
    case = next(case for case in CASES if (case.name, case.arguments[0]) == name)
    case.make(tmp_path)
    outcome = command(case.arguments, tmp_path, tmp_path / case.stdin if case.stdin else None)
    make_removable(tmp_path)
    assert outcome.code in {0, 1, 2}, outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert "internal error" not in outcome.stderr
    assert outcome.memory < MAX_MEMORY
    assert not case.unexpected(outcome.code, outcome.stderr)
