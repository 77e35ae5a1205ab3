"""`composer plugins`: the list, the options of a plugin, and a plugin that does not load."""

import sys
from dataclasses import dataclass, field

import pytest

from composer.api import Piece
from composer.cli.commands import plugins
from composer.registry import plugins as registry


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """An installed package whose plugin cannot be imported."""
    (tmp_path / "composer_sad.py").write_text("raise RuntimeError('no strings')\n")
    folder = tmp_path / "composer_sad-2.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: composer-sad\nVersion: 2.0\n")
    (folder / "entry_points.txt").write_text("[composer]\nsad = composer_sad\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    caches = (registry._plugins, registry.load)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_list_by_kind_with_distribution(composer):
    lines = composer("plugins").out.splitlines()
    assert lines.index("representations:") < lines.index("architectures:") < lines.index("trained models:")
    abc = next(line for line in lines if line.startswith("  abc "))
    assert "ABC" in abc
    assert "composer-cli" in abc


def test_list_fits_the_terminal(composer):
    assert max(map(len, composer("plugins", terminal=True, COLUMNS="60").out.splitlines())) <= 60
    assert "..." not in composer("plugins").out


def test_long_path_is_folded_only_on_a_terminal(composer, tunes, home):
    name = "a-model-with-quite-a-long-name-of-its-own-" * 2
    quick = ("--max-updates", "1", "--set", "hidden=4", "--set", "layers=1", "--quiet")
    assert composer("train", "abc", tunes, "--name", name, *quick).code == 0
    path = str(home / "models" / f"{name}.safetensors")
    assert path in composer("plugins").out
    shown = composer("plugins", terminal=True, COLUMNS="80").out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown


def test_choices_of_a_setting(composer):
    shown = " ".join(composer("plugins", "lstm").out.split())
    for values in (
        "(constant, exponential, linear, cosine)",
        "(adam, adamw, sgd)",
        "(norm, value)",
        "(auto, fp32, bf16)",
    ):
        assert values in shown


def test_placeholders_of_options(composer):
    assert "-O column=NAME " in composer("plugins", "text").out
    shown = " ".join(composer("plugins", "pianoroll").out.split())
    assert "-O range=LOW-HIGH lowest and highest pitch, as MIDI numbers [default: 21-108]" in shown
    assert "-O steps=4 steps per quarter note" in shown
    assert "--set stack=N,... " in composer("plugins", "attn-lstm").out


@dataclass(frozen=True)
class Fields:
    """Options with each kind of default."""

    needed: int
    plain: int = 4
    empty: str = ""
    named: str = field(default="a", metadata={"metavar": "LETTER", "help": "a letter"})
    several: tuple[int, ...] = field(default_factory=lambda: (1, 2))


def test_fields_without_a_default_or_a_placeholder():
    lines = [" ".join(line.split()) for line in plugins._options("-O", Fields, 80)]
    assert lines == [
        "-O needed=NEEDED", "-O plain=4", "-O empty=EMPTY", "-O named=LETTER a letter [default: a]", "-O several=1,2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("plugins", "nosuch"),
        ("train", "nosuch", "FILE"),
        ("train", "abc", "FILE", "--model", "nosuch"),
        ("train", "abc", "FILE", "--device", "nosuch"),
        ("train", "abc", "FILE", "--preset", "nosuch"),
        ("eval", "nosuch", "FILE"),
        ("gen", "nosuch"),
    ],
)
def test_unknown_name_is_a_usage_error(composer, tunes, arguments):
    given = [tunes if argument == "FILE" else argument for argument in arguments]
    composer(*given).failed("nosuch", code=2)


@pytest.mark.parametrize("columns", ["1", "20", "40", "59"])
def test_options_on_a_narrow_terminal(composer, columns):
    result = composer("plugins", "lstm", COLUMNS=columns)
    assert result.code == 0
    assert "  --set hidden=256\n    cells" in result.out


def test_names(composer):
    assert {"attn-lstm", "lstm"} <= set(composer("plugins", "architectures", "--names").out.split())
    assert "abc" in composer("plugins", "representations", "--names").out.split()


def test_options_of_a_plugin(composer):
    assert "--set hidden=256" in composer("plugins", "lstm").out
    assert "--set epochs=" in composer("plugins", "lstm").out
    assert "-O text=dialect" in composer("plugins", "abc").out
    assert "-O lower=off" in composer("plugins", "text").out
    assert "-O labels=COLUMNS " in composer("plugins", "text").out
    composer("plugins", "lstmm").failed("unknown plugin 'lstmm'", "did you mean `lstm`?", code=2)


def test_broken_plugin_is_a_warning(composer, broken):
    result = composer("plugins")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert result.err.startswith("warning: plugin `sad` (composer-sad 2.0) failed to load: RuntimeError: no strings")


def test_broken_plugin_is_an_error_in_strict_mode(composer, broken, monkeypatch):
    monkeypatch.setenv("COMPOSER_STRICT_PLUGINS", "1")
    composer("plugins").failed("composer-sad 2.0", "no strings")


def test_check_names_slow_and_broken_plugins(composer, broken, tmp_path):
    result = composer("plugins", "--check", "sad")
    assert result.code == 1
    assert result.out == "sad (composer-sad 2.0): does not import: RuntimeError: no strings\n"
    (tmp_path / "composer_sad.py").write_text("import numpy\nprint('hello')\n")
    result = composer("plugins", "--check", "sad", PYTHONPATH=str(tmp_path))
    assert "imports numpy when it is loaded" in result.out
    assert composer("plugins", "--check", "lstm").out.startswith("lstm (composer-cli ")
    composer("plugins", "--check", "lstn").failed("unknown plugin 'lstn'", "did you mean `lstm`?", code=2)


def test_check_runs_the_contract_tests(composer, tunes):
    result = composer("plugins", "check", "abc", tunes)
    assert result.code == 0
    lines = result.out.splitlines()
    assert all(line.startswith("passed  ") for line in lines)
    assert f"{len(lines)} checks passed" in result.err
    assert "passed  pieces: 4 from 1 file, 56 tokens" in lines
    checks = {line.removeprefix("passed  ").partition(": ")[0] for line in lines}
    assert {"encoding", "format midi", "constraint for no controls", "constraint for --bars 2"} <= checks


def test_check_names_what_is_wrong(composer, monkeypatch):
    monkeypatch.setattr(registry.representation("text"), "decode", lambda self, steps: Piece("the same"))
    result = composer("plugins", "check", "text")
    assert result.code == 1
    wrong = [line for line in result.out.splitlines() if line.startswith("FAILED")]
    assert "changed by encode, decode, encode: step " in wrong[0]
    assert result.err.startswith(f"error: {len(wrong)} of ")
    assert "with other pieces than the samples: composer plugins check text FILE..." in result.err
    assert "Traceback" in composer("--debug", "plugins", "check", "text").err


def test_check_brings_pieces_of_its_own(composer):
    lines = composer("plugins", "check", "text").out.splitlines()
    assert "passed  format text: 3 pieces" in lines


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("check",), "missing argument PLUGIN", "composer plugins check abc"),
        (("check", "nosuch"), "unknown plugin 'nosuch'", ""),
        (("check", "lstm", "tunes.abc"), "unexpected argument: tunes.abc", "composer plugins check lstm"),
        (("check", "abc", "--names"), "--names does not go with `check`", "composer plugins --names"),
        (("abc", "tunes.abc"), "unexpected argument: tunes.abc", "composer plugins check abc"),
    ],
)
def test_usage_errors_of_check(composer, arguments, message, hint):
    composer("plugins", *arguments).failed(message, hint, code=2)
