"""The state of `make torture`: a run resumes on its own commit only, and the table shows one commit."""

from faults import TORTURE
from report import State, write

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
