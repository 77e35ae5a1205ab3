"""What the README promises: its commands run from top to bottom in an empty folder."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

PROGRAMS = {
    # trainings are cut short
    "composer": f"""
case "$*" in
train*--from*) set -- "$@" --max-updates 1 ;;
train*) set -- "$@" --max-updates 2 --set hidden=16 ;;
esac
exec "{sys.executable}" -m composer "$@"
""",
    "timidity": '[ "$1" = - ] && [ "$(head -c 4)" = MThd ] && cat > /dev/null',
    "abcm2ps": '[ -f "$1" ] && [ "$2" = -O ] && touch "$3"',
}
"""What the examples call: this program, and stand-ins for programs that may not be there."""


def test_it_is_short():
    assert len(README.splitlines()) <= 220


def test_it_fits_120_columns():
    assert max(map(len, README.splitlines())) <= 120


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.timeout(400)
def test_every_example_runs_in_an_empty_folder(tmp_path):
    """Each file that an example needs was made by an earlier one."""
    programs, folder = tmp_path / "programs", tmp_path / "folder"
    programs.mkdir(), folder.mkdir()
    for name, script in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod((programs / name).stat().st_mode | stat.S_IXUSR)
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), *sys.path])
    examples = "".join(re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE))
    script = f"set -eo pipefail; trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n{examples}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_most_examples_are_run():
    assert len(re.findall(r"^```sh skip", README, re.MULTILINE)) <= 2


def test_its_links_lead_somewhere():
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_make_targets_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
