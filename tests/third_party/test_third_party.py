"""Third-party plugin packages, built and installed with pip: listing, contracts, training and generation."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TUNES = "X:1\nT:One\nR:reel\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n\n" * 3
CONTRACTS = """
from composer.api.testing import check_model, check_representation, source
from composer_beats.beats import Beats
from composer_beats.markov import Markov
check_representation(Beats, [source("x..x..x.\\nx.x.\\nhello\\n", "beats.txt")])
check_model(Markov)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return the interpreter of a new environment with this one's packages and both third-party packages."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    bin_ = folder / ("Scripts" if os.name == "nt" else "bin")
    python = bin_ / ("python.exe" if os.name == "nt" else "python")
    ours = sysconfig.get_path("purelib")
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(site) / "outer.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    for package in ("package", "broken"):
        wheels = folder / "wheels"
        quiet = ["--quiet", "--no-deps", "--disable-pip-version-check"]
        run(sys.executable, "-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", wheels, HERE / package)
    run(sys.executable, "-m", "pip", "--python", python, "install", *quiet, *sorted(wheels.glob("*.whl")))
    return python


def run(*command, cwd=None, **environment):
    """Run a command, and show its output if it fails."""
    settings = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=settings, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def test_listing_warns_about_a_broken_plugin(python):
    result = run(python, "-m", "composer", "plugins")
    for name in ("beats", "markov", "abc", "lstm"):
        assert name in result.stdout
    assert "composer-beats 0.3" in result.stdout
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert "composer-broken 1.0" in warnings[0]


def test_contracts(python):
    run(python, "-c", CONTRACTS)


@pytest.mark.parametrize(("representation", "model"), [("beats", "markov"), ("beats", "lstm"), ("abc", "markov")])
def test_train_and_generate_with_built_in_plugins(python, tmp_path, representation, model):
    data = tmp_path / ("tunes.abc" if representation == "abc" else "beats.txt")
    beats = "".join(f"{'x..x..x.' * n}{'x.' * n}\n" for n in range(1, 9))
    data.write_text(TUNES if representation == "abc" else beats)
    home = {"COMPOSER_HOME": str(tmp_path / "home")}
    settings = ["--set", "hidden=16"] if model == "lstm" else []
    train = ["train", representation, data, "--model", model, "--name", "mine", "--max-updates", "20", "--seed", "1"]
    generate = ["gen", representation, "--count", "9", "--length", "40", "--seed", "3"]
    both = [list(map(str, each)) for each in ([*train, *settings], generate)]
    result = run(
        python, "-c", f"from composer.cli.app import main\nfor each in {both!r}: assert main(each) == 0", **home
    )
    assert result.stdout.strip()
    assert set(result.stdout) <= {"x", ".", "\n"} or representation == "abc"
