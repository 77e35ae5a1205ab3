"""The guards that `mutations.py` removes are found in the code, and so are their tests."""

import re
from pathlib import Path

from guards import GUARDS
from input_guards import INPUT_GUARDS

ROOT = Path(__file__).parents[2]


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
