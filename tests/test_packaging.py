"""What is shipped: versions that are pinned, documents that are current, and a wheel that holds it all."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import composer
from composer.cli.docs.build import documents

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_generated_documents_are_current():
    """Where this fails, run `make docs` and commit what it wrote."""
    stale = [path.name for path, content in documents(ROOT).items() if path.read_text("utf-8") != content]
    assert stale == []


def test_no_document_of_a_command_that_is_gone():
    there = {path for folder in ("man", "completions") for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert there == set(documents(ROOT))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_man_pages_are_clean():
    """Of what mandoc finds, only references to pages that are not installed here are no fault."""
    pages = sorted(map(str, (ROOT / "man").rglob("*.[17]")))
    done = subprocess.run(["mandoc", "-T", "lint", *pages], capture_output=True, text=True, check=False)
    assert [line for line in done.stdout.splitlines() if "referenced manual not found" not in line] == []


def test_every_dependency_is_pinned():
    pinned = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    pinned = {name.lower().replace("_", "-"): version for name, version in pinned.items()}
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["pictures"], *PROJECT["build-system"]["requires"]]
    names = {re.match(r"[A-Za-z0-9_.-]+", each)[0].lower() for each in wanted}
    assert names <= pinned.keys()
    assert pinned["torch"] == "2.13.0"


def test_every_plugin_is_packaged_and_announced():
    folders = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()}
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {package for package in packages if package != "composer"} == {f"plugins/{name}" for name in folders}
    entries = PROJECT["project"]["entry-points"]["composer"]
    assert {module.partition(".")[0] for module in entries.values()} == folders
    assert all(module == f"composer_{name.replace('-', '_')}" for name, module in entries.items())


def test_the_changelog_speaks_of_this_version():
    assert f"## [{composer.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_everything(wheel):
    names = wheel.namelist()
    data = f"composer_cli-{composer.__version__}.data/data/share"
    for name in (
        "composer/cli/app.py",
        "composer/py.typed",
        "composer_abc/__init__.py",
        "composer_lstm/network.py",
        "composer/cli/docs/manual/tutorial.md",
        "composer/cli/scaffold/templates/shared/pyproject.toml.in",
        "composer/cli/scaffold/templates/shared/corpus/tunes.abc",
        "composer/cli/scaffold/templates/model/tests/test_package.py.in",
        "composer/pictures/page/assets/page.html",
        "composer/pictures/page/assets/player.js",
        "composer/pictures/page/assets/style.css",
        f"{data}/bash-completion/completions/composer",
        f"{data}/zsh/site-functions/_composer",
        f"{data}/fish/vendor_completions.d/composer.fish",
        f"{data}/powershell/composer.ps1",
    ):
        assert name in names
    shipped = {name.removeprefix(f"{data}/man/") for name in names if name.startswith(f"{data}/man/")}
    assert shipped == {str(path.relative_to(ROOT / "man")) for path in (ROOT / "man").rglob("*.[17]")}
    assert all(Path(name).parent.name == f"man{name[-1]}" for name in shipped)
    assert not [name for name in names if name.startswith(("tests/", "plugins/", "utils"))]


def test_the_wheel_says_what_it_needs(wheel):
    name = next(name for name in wheel.namelist() if name.endswith("METADATA"))
    text = wheel.read(name).decode()
    assert "Name: composer-cli" in text
    assert "Requires-Dist: torch>=2.6" in text
    assert "Requires-Python: >=3.11" in text
