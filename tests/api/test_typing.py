"""Plugins type-check with mypy --strict, without ignores and casts, and their mistakes are found."""

import os
import re
import subprocess
import sys
from pathlib import Path

from typed_plugins import typed

from composer.api.testing import check_representation, source

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "typed_plugins"
CONFIG = """
[mypy]
strict = True
explicit_package_bases = True
[mypy-torch.*]
follow_imports = skip
"""


def test_the_typed_plugins_work():
    check_representation(typed.Words, [source("one two 3", "1.txt"), source("three", "2.txt")])
    check_representation(typed.Chords, [source("60+64 62", "1.chords"), source("50 50+57", "2.chords")])
    check_representation(typed.Digits, [source("12345", "1.txt"), source("54321", "2.txt")])


def test_plugins_type_check_under_strict_and_mistakes_are_found(tmp_path):
    (tmp_path / "mypy.ini").write_text(CONFIG)
    command = [sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini", "--cache-dir", tmp_path / "cache"]
    files = [FOLDER / "typed.py", FOLDER / "mistakes.py"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))}
    result = subprocess.run([*command, *files], capture_output=True, text=True, check=False, env=environment)
    lines = re.findall(r"(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", result.stdout, re.MULTILINE)
    found = [(name, code) for name, _, code in dict.fromkeys(lines)]
    assert found == [
        ("mistakes.py", "override"),  # content
        ("mistakes.py", "override"),  # controls
        ("mistakes.py", "attr-defined"),  # option
        ("mistakes.py", "operator"),  # content of a piece
    ], result.stdout + result.stderr
