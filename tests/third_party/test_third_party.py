"""A stranger's package, built and installed as a stranger would: listed, held to the contracts, trained and played."""

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
    """The interpreter of a fresh environment that sees this one's packages, with both strangers installed by pip."""
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
    """Run a command to its end; what it printed is in the failure's message."""
    settings = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=settings, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def test_it_is_listed_and_a_broken_one_is_one_warning(python):
    done = run(python, "-m", "composer", "plugins")
    for name in ("beats", "markov", "abc", "lstm"):
        assert name in done.stdout
    assert "composer-beats 0.3" in done.stdout
    warnings = [line for line in done.stderr.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert "composer-broken 1.0" in warnings[0]


def test_its_contracts_pass(python):
    run(python, "-c", CONTRACTS)


@pytest.mark.parametrize(("representation", "model"), [("beats", "markov"), ("beats", "lstm"), ("abc", "markov")])
def test_it_trains_and_plays_alone_and_paired_with_the_built_in_ones(python, tmp_path, representation, model):
    data = tmp_path / ("tunes.abc" if representation == "abc" else "beats.txt")
    beats = "".join(f"{'x..x..x.' * n}{'x.' * n}\n" for n in range(1, 9))
    data.write_text(TUNES if representation == "abc" else beats)
    home = {"COMPOSER_HOME": str(tmp_path / "home")}
    settings = ["--set", "hidden=16"] if model == "lstm" else []
    train = ["train", representation, data, "--model", model, "--name", "mine", "--max-updates", "20", "--seed", "1"]
    play = ["gen", representation, "--count", "9", "--length", "40", "--seed", "3"]
    both = [list(map(str, each)) for each in ([*train, *settings], play)]
    done = run(python, "-c", f"from composer.cli.app import main\nfor each in {both!r}: assert main(each) == 0", **home)
    assert done.stdout.strip()
    assert set(done.stdout) <= {"x", ".", "\n"} or representation == "abc"
