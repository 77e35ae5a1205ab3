"""A home of its own for each test, a terminal to run the program in, and a small model of tunes."""

import gc
import io
import itertools
import os
import signal
import sys
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings

# On a slow or busy machine, examples take longer to make than Hypothesis expects.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.load_profile("patient")

# Tests run side by side, one for each core, and threads that wait for one another would only get in their way.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # a few tests use several threads; those that wait must not spin

# Without this, each program that a test starts compiles all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts tests in the background has them ignore Ctrl-C, and nohup a hang-up, which some of them send.
for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

TUNES = """X:1
T:Over the Fence
M:4/4
L:1/8
K:G
|:GABc d2cB|A2F2 G4:|
|:B2GB A2FA|G2F2 G4:|

X:2
T:The Wet Field
M:6/8
L:1/8
K:D
|:ABA FED|d2d cBA|GBG FAF|E3 D3:|

X:3
T:Early
M:4/4
L:1/8
K:Am
|:A2c2 e2dc|B2G2 A4:|
|:edcd e2a2|g2e2 a4:|

X:4
T:All Sorts
M:4/4
L:1/8
K:C
"C"C2 z2 "G7"G,2 B,2|[CEG]4 ^F2 _B2|(3abc' d'2 c/d/e/f/ g2|a>b c'<d =f3 e|c8|]
"""


class Stream(io.TextIOWrapper):
    """A text stream over bytes that says it is a terminal, or not."""

    def __init__(self, data=b"", terminal=False):
        super().__init__(io.BytesIO(data), encoding="utf-8", newline="", write_through=True)
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    @property
    def data(self):
        return self.buffer.getvalue()


def pytest_collection_modifyitems(items):
    """Begin with the tests that have a time limit of their own, or one worker would run them alone at the end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def pytest_collection_finish():
    """Let garbage collections be rarer, and skip the modules and tests of this process, which stay until it ends."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@dataclass(frozen=True)
class Result:
    """How a run of the program ended, and what it wrote."""

    code: int
    data: bytes
    err: str

    @property
    def out(self):
        return self.data.decode()

    def failed(self, *words, code=1):
        """One line of error, one of hint, nothing on stdout, and `words` among them."""
        lines = [line for line in self.err.splitlines() if not line.startswith("warning:")]
        assert [line.partition(":")[0] for line in lines] == ["error", "hint"], self.err
        assert self.code == code
        assert not self.data
        for word in words:
            assert word in self.err
        return self


@pytest.fixture(scope="session", autouse=True)
def _no_wait_for_the_disk():
    """Files of tests need not survive a power failure, and there are thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def first_line():
    """Return after how many seconds a line of progress is printed; in tests, which may be slow, after an hour."""
    from composer.cli.render import reading_progress

    with pytest.MonkeyPatch.context() as patch:
        seconds = reading_progress.FIRST_LINE
        patch.setattr(reading_progress, "FIRST_LINE", 3600.0)
        yield seconds


@pytest.fixture(scope="session")
def homes(tmp_path_factory):
    """Names of homes, of which none is there yet: most tests need no folder, and each takes a while to clear away."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count(1))


@pytest.fixture(autouse=True)
def home(homes, monkeypatch):
    """A home of its own, and no settings of the developer's."""
    folder = next(homes)
    for name in (
        "COMPOSER_DEVICE",
        "COMPOSER_DEBUG",
        "COMPOSER_STRICT_PLUGINS",
        "COMPOSER_CONFIG",
        "NO_COLOR",
        "COLUMNS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COMPOSER_HOME", str(folder))
    monkeypatch.setenv("COMPOSER_SOUNDFONT", "none")  # not what this machine has
    return folder


@pytest.fixture
def stream():
    """The class of fake streams."""
    return Stream


@pytest.fixture(scope="session")
def composer():
    """Run the program in this process: `composer("gen", "abc", stdin=b"", terminal=False)`."""
    from rich.style import Style

    from composer.cli.app import main
    from composer.cli.console import Console

    def run(*arguments, stdin=b"", terminal=False, **environ):
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        console = Console(
            Stream(stdin), out, err, {"TERM": "xterm", "COLORTERM": "truecolor", "COLUMNS": "80", **environ}
        )
        if terminal:  # a style that rich keeps has the codes of the first terminal, which may have fewer colors
            Style.parse.cache_clear()
            Style._add.cache_clear()
        code = main([str(argument) for argument in arguments], console)
        return Result(code, out.data, err.data.decode())

    return run


@pytest.fixture
def tunes(tune_file):
    """A file of four tunes."""
    return tune_file


@pytest.fixture
def short_tune(tmp_path):
    """A file of one tune of four bars."""
    path = tmp_path / "short.abc"
    path.write_text(TUNES.split("\n\n")[1])
    return path


@pytest.fixture(scope="session")
def tune_file(tmp_path_factory):
    """The same, for fixtures that last as long."""
    path = tmp_path_factory.mktemp("tunes") / "tunes.abc"
    path.write_text(TUNES)
    return path


@pytest.fixture(scope="session")
def checkpoint(tune_file, tmp_path_factory):
    """A model of tunes that is untrained: only the constraint of the representation makes its output music."""
    import torch

    from composer.api import Source
    from composer.checkpoints.file import Checkpoint, Header, save
    from composer.registry import plugins as registry

    representation = registry.representation("abc")()
    representation.fit(list(representation.read(Source(tune_file))))
    model = registry.model("lstm")
    config = model.Config(hidden=16, layers=1, embedding=8)
    torch.manual_seed(1)
    network = model.network(representation.spec, config)
    weights = {name: tensor.numpy().astype("float16") for name, tensor in network.state_dict().items()}
    fields = {name: getattr(config, name) for name in ("hidden", "layers", "embedding", "dropout", "condition")}
    options = {"text": representation.options.text}
    header = Header("abc", 1, options, representation.state(), "lstm", fields, representation.spec)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save(path, Checkpoint(header, weights))
    return path
