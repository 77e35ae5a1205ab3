"""The state of `make torture`: a run resumes on its own commit only, with one table, and its guards exist."""

import re
from pathlib import Path

from faults import TORTURE
from guards import GUARDS
from input_guards import INPUT_GUARDS
from report import State, write

ROOT = Path(__file__).parents[2]
FAULT = TORTURE[0]


def test_results_of_another_commit_do_not_count(tmp_path):
    before = State(tmp_path / "state.json", "aaaaaaa")
    before.add(FAULT, seed=1, seconds=60, cpu=30, done=9, broken=2)
    assert State(before.path, "aaaaaaa").spent(FAULT, 1) == 60
    now = State(before.path, "bbbbbbb")
    assert (now.spent(FAULT, 1), now.slices(FAULT, 1)) == (0, 0)
    assert now.row(FAULT)[:3] == ("9", "0.5", "2")  # nothing was tried since
    now.add(FAULT, seed=1, seconds=30, cpu=90, done=4, broken=0)
    write(now, tmp_path / "page.md")
    (row,) = [line for line in (tmp_path / "page.md").read_text().splitlines() if "`interruptions.py kill`" in line]
    assert row.split(" | ")[4:7] == ["4", "1.5", "0"]
    assert row.endswith(" bbbbbbb |")


def test_processes_side_by_side_keep_each_others_results(tmp_path):
    first, second = (State(tmp_path / "state.json", "aaaaaaa") for _ in range(2))
    first.add(FAULT, seed=1, seconds=60, cpu=30, done=9, broken=0)
    second.add(FAULT, seed=1, seconds=60, cpu=30, done=4, broken=1)
    assert State(tmp_path / "state.json", "aaaaaaa").row(FAULT)[:3] == ("13", "1.0", "1")


def is_found(guard):
    """Return whether the text of a guard occurs once, and its test exists."""
    path, *names = guard.test.split("::")
    if (ROOT / guard.file).read_text("utf-8").count(guard.text) != 1 or not (ROOT / path).exists():
        return False
    text = (ROOT / path).read_text("utf-8") if names else ""
    return all(re.search(rf"\b(?:def|class) {re.escape(name.partition('[')[0])}\b", text) for name in names)


def test_each_guard_and_its_test_exist():
    assert [guard.guard for guard in (*GUARDS, *INPUT_GUARDS) if not is_found(guard)] == []
    assert not is_found(GUARDS[0]._replace(text="no such text"))
    assert not is_found(GUARDS[0]._replace(test=f"{GUARDS[0].test}_anywhere"))
