"""The results of `make torture`: they add up until the code of a fault changes, and its guards exist."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from faults import FUZZ, TORTURE
from guards import GUARDS
from input_guards import INPUT_GUARDS
from report import PAGE, Results, files_of, last_commit

ROOT = Path(__file__).parents[2]
FAULT = TORTURE[0]
OLD, NEW, CHANGED = "aaaaaaaa", "bbbbbbbb", "bbbbbbbb+"


@pytest.fixture
def results(tmp_path):
    """A function that opens results, as each process does."""
    return lambda: Results(tmp_path / "results.json", tmp_path / "page.md", tmp_path / "results.lock")


def add(results, commit, seed=1, seconds=60, cpu=30, done=9, broken=0):
    results.add(FAULT, commit, seed, seconds, cpu, done, broken)


def row_on_page(results):
    (row,) = [line for line in results.page.read_text().splitlines() if f"`{FAULT.script}`" in line]
    return row.removesuffix(" |").split(" | ")[4:]


def test_slices_add_up_and_runs_resume_by_their_number(results):
    add(results(), OLD, cpu=30, done=9, broken=2)
    add(results(), OLD, cpu=30, done=4, seconds=20.5)
    add(results(), OLD, seed=2, cpu=60, done=1)
    found = results()
    assert (found.spent(FAULT, 1, OLD), found.slices(FAULT, 1, OLD)) == (80.5, 2)
    assert (found.spent(FAULT, 2, OLD), found.slices(FAULT, 2, OLD)) == (60, 1)
    assert found.slices(FAULT, 3, OLD) == 0
    assert [*row_on_page(found)[:3], row_on_page(found)[-1]] == ["14", "2.0", "2", OLD]
    assert len(json.loads(found.path.read_text())["faults"][FAULT.name]) == 2  # one entry for each seed


def test_results_of_code_as_it_was_do_not_count(results):
    add(results(), OLD, done=9)
    now = results()
    assert (now.spent(FAULT, 1, NEW), now.slices(FAULT, 1, NEW)) == (0, 0)
    assert now.row(FAULT)[0] == "9"  # nothing was tried since
    add(now, NEW, done=4)
    assert [row_on_page(now)[0], row_on_page(now)[-1]] == ["4", NEW]
    assert now.slices(FAULT, 1, OLD) == 0


def test_results_of_code_that_is_not_committed_replace_no_others(results):
    add(results(), NEW, done=9)
    add(results(), CHANGED, done=4)
    assert results().row(FAULT)[0] == "4"
    add(results(), NEW, done=1)
    assert results().row(FAULT)[0] == "10"
    assert results().slices(FAULT, 1, CHANGED) == 0


def test_processes_side_by_side_keep_each_others_results(results):
    first, second = results(), results()
    add(first, OLD, cpu=30, done=9)
    add(second, OLD, cpu=30, done=4, broken=1)
    first.set_guard(GUARDS[0], "noticed")
    assert results().row(FAULT)[:3] == ("13", "1.0", "1")
    assert results().guard(GUARDS[0])["outcome"] == "noticed"


def test_the_outcome_of_a_guard_counts_until_the_guard_or_its_test_changes(results):
    guard = GUARDS[0]
    results().set_guard(guard, "noticed")
    for changed in ({"text": "x"}, {"without": "x"}, {"file": "x"}, {"test": "x"}, {"guard": "x"}):
        assert results().guard(guard._replace(**changed)) == {"outcome": "not yet"}
    (row,) = [line for line in results().page.read_text().splitlines() if line.startswith(f"| {guard.guard} |")]
    assert "| noticed |" in row


def test_the_page_is_written_from_the_results():
    """`python tests/torture fuzz --budget 0` writes it."""
    assert PAGE.read_text("utf-8") == Results().text()


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_is_the_last_that_changed_the_code(tmp_path):
    """A pattern with two stars means a folder and those in it, for git and for Python."""
    git(tmp_path, "init", "-q")
    for name in ("a/x.py", "a/b/y.py", "c/z.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", name)
    x, y, z = git(tmp_path, "log", "--reverse", "--format=%h", "--abbrev=8").split()
    assert [last_commit([code], tmp_path) for code in ("a/*.py", "a/**/*", "c/z.py", "**/*")] == [x, y, z, z]
    assert last_commit(["a/*.py", "c/z.py"], tmp_path) == z
    (tmp_path / "a" / "b" / "new.py").write_text("")
    assert [last_commit([code], tmp_path) for code in ("a/*.py", "a/**/*")] == [x, f"{y}+"]
    assert files_of(["a/**/*"], tmp_path) == {"a/x.py", "a/b/y.py", "a/b/new.py"}
    assert files_of(["a/*.py"], tmp_path) == {"a/x.py"}


@pytest.mark.parametrize("fault", [*TORTURE, *FUZZ], ids=lambda fault: fault.name)
def test_each_pattern_of_code_has_files(fault):
    assert [code for code in fault.code if not files_of([code])] == []


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
