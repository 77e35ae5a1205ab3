"""Formats, presets, pretrained models, rankings and checks of plugins: names, errors, and what loads them."""

import shutil
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from composer.api import PluginError
from composer.checkpoints import store
from composer.formats import FORMATS, all_formats, detect, find_format, format_of, write
from composer.formats.read import music_suffixes
from composer.registry import plugins as registry
from composer.registry import reporting
from composer.registry.reporting import report_to, report_unusable
from composer.system.warnings import warn_once
from composer.training import presets

FORMAT = """
    from composer.api import Note, Part, Score, hookimpl
    from composer.api.file_format import Format

    NOTES = Score((Part((Note(0, 60, 1), Note(1, 64, 1))),))

    def recognize(data):
        return data.startswith(b"#sketch")

    def read(source, *, pedal=False):
        yield source.label, NOTES

    def write(score, settings):
        return b"#sketch %d\\n" % len(score.notes)

    @hookimpl
    def composer_format():
        return Format("{name}", (".sketch",), False, "sketches", recognize, {read}, {write})
"""
PRESET = """
    from composer.api import hookimpl

    @hookimpl
    def composer_presets():
        return {text!r}
"""
RANKING = """
    from composer.api import hookimpl
    from composer.api.ranking import Rank, Ranking

    @hookimpl
    def composer_ranking():
        return Ranking("{name}", "any order", lambda logp, score: {rank})
"""
CHECK = """
    from composer.api import hookimpl
    from composer.api.problem import Check, Problem

    @hookimpl
    def composer_check():
        return Check("strict", "everything is wrong", {functions})
"""
PRETRAINED = """
    from pathlib import Path
    from composer.api import hookimpl

    @hookimpl
    def composer_pretrained():
        return Path({folder!r})
"""


def sketches(name="sketch", read="read", write="write"):
    return FORMAT.format(name=name, read=read, write=write)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Create a distribution with one plugin, as pip installs it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def make(plugin, code, distribution="sketch-music"):
        module = f"{distribution}_{plugin}".replace("-", "_")
        (site / f"{module}.py").write_text(dedent(code))
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = site / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir(exist_ok=True)
        with (info / "entry_points.txt").open("a") as entries:
            entries.write(f"[composer]\n{plugin} = {module}\n")
        forget()
        return module

    def forget():
        registry._plugins.cache_clear()
        registry.load.cache_clear()
        registry._load_once.cache_clear()
        report_to(warn_once)
        warn_once.cache_clear()
        registry._reported.clear()

    yield make
    monkeypatch.undo()
    forget()


def test_plugins_are_loaded_only_for_what_is_not_built_in(install):
    module = install("sketch", sketches())
    assert find_format("midi") is format_of(Path("a.mid")) is detect(b"MThd\0\0\0\6") is FORMATS["midi"]
    assert presets.preset("lyrics").name == "lyrics"
    assert store.resolve_model(Path("abc")) == store.default("abc") == store.bundled("abc")
    assert module not in sys.modules
    assert format_of(Path("a.sketch")).name == "sketch"
    assert module in sys.modules


def test_a_format_is_found_by_name_suffix_and_content(install):
    install("sketch", sketches())
    found = find_format("sketch")
    assert (found.name, found.summary) == ("sketch", "sketches")
    assert list(all_formats()) == [*FORMATS, "sketch"]
    assert detect(b"#sketch 2").name == "sketch"
    assert detect(b"nothing known") is None
    assert music_suffixes()[-1] == ".sketch"


def test_built_in_names_win(install, composer, tmp_path):
    install("midi", sketches("midi"))
    install("lyrics", PRESET.format(text=presets.preset("lyrics").text.replace("lyrics", "odes")))
    install("form", RANKING.format(name="form", rank="Rank((1.0,), 'mine')"))
    assert list(all_formats()) == [*FORMATS, "sketch-music:midi"]
    assert find_format("midi") is FORMATS["midi"]
    score = next(iter(find_format("sketch-music:midi").read(source(tmp_path))))[1]
    assert write("sketch-music:midi", score) == b"#sketch 2\n"
    assert presets.preset("lyrics").summary == "character-level lyrics"
    assert presets.preset("sketch-music:lyrics").summary == "character-level odes"
    asked = ("gen", "abc", "--candidates", "2", "--seed", "1", "--bars", "1", "--rank-by")
    assert "(repeats " in composer(*asked, "form").err
    result = composer(*asked, "sketch-music:form", "--format", "sketch-music:midi")
    assert result.data.startswith(b"#sketch ")
    assert "1: mine\n" in result.err


def source(folder):
    from composer.api import Source

    return Source(folder / "a.sketch", data=b"#sketch")


def test_two_packages_with_one_name(install, composer):
    install("sketch", sketches())
    install("sketch", sketches(), "other-music")
    names = "`other-music:sketch` or `sketch-music:sketch`"
    composer("gen", "abc", "--format", "sketch").failed("both have a format called `sketch`", names)
    assert composer("gen", "abc", "--seed", "1", "--bars", "1", "--format", "other-music:sketch").code == 0


def test_a_format_says_what_it_has_no_place_for(install, composer):
    install("sketch", sketches(write='write, leaves_out=("velocity",)'))
    gen = ("gen", "abc", "--seed", "1", "--bars", "1", "--format", "sketch")
    composer(*gen, "--velocity", "40").failed("--velocity has no effect on `sketch`", code=2)
    install("scrawl", sketches("scrawl"))
    assert composer(*gen[:-1], "scrawl", "--velocity", "40").code == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (sketches("broken").replace('(".sketch",)', '"sketch"'), "must be a tuple of str"),
        (sketches("broken").replace(".sketch", "sketch"), "must begin with a dot"),
        (sketches("broken", read="None"), "`recognize` and `read` go together"),
        (sketches("broken", write="7"), "`write` must be a function or None, not 7"),
        (sketches("broken", write="write, unscored=7"), "`unscored` must be a function or None, not 7"),
        (
            sketches("broken", write='write, leaves_out=("pitch",)'),
            "`leaves_out` must be a tuple of `velocity` and `composers`, not ('pitch',)",
        ),
        (sketches("other"), "its hooks return nothing called `broken`"),
        (
            PRESET.format(text="").replace("''", "7"),
            "failed in composer_presets: it returned 7, not text or a Path",
        ),
        (PRETRAINED.format(folder="/nowhere"), "failed in composer_pretrained: /nowhere is not a folder"),
        (RANKING.format(name="broken", rank="0").replace("any order", ""), "`summary` must be one line of text"),
        (CHECK.format(functions="").replace("strict", "broken"), "it has neither `score` nor `data`"),
    ],
)
def test_invalid_values_are_one_warning(install, composer, code, reason):
    install("broken", code)
    result = composer("plugins")
    assert result.code == 0
    assert result.err.count("\n") == 1
    assert result.err.startswith("warning: plugin `broken` (sketch-music 1.2)")
    assert reason in result.err
    for kind in ("formats", "presets", "pretrained", "rankings"):
        assert composer("plugins", kind, "--names").out


@pytest.mark.parametrize(
    ("format_", "command", "message"),
    [
        (sketches(write="lambda score, settings: 7"), "gen", "Format.write: it returned 7, not bytes"),
        (sketches(write="lambda score, settings: 1 // 0"), "gen", "Format.write: ZeroDivisionError"),
        (sketches(read="lambda source, pedal=False: [7]"), "show", "Format.read: it yielded 7, not a name and a score"),
        (sketches(read="lambda source, pedal=False: 1 // 0"), "show", "Format.read: ZeroDivisionError"),
    ],
)
def test_a_format_that_fails(install, composer, tmp_path, format_, command, message):
    install("sketch", format_)
    (tmp_path / "a.sketch").write_bytes(b"#sketch\n")
    given = {"gen": ("abc", "--format", "sketch", "--bars", "1", "--seed", "1"), "show": (tmp_path / "a.sketch",)}
    composer(command, *given[command]).failed(f"plugin `sketch` (sketch-music 1.2) failed in {message}", "author")
    if command == "show":
        assert "failed in Format.read" in composer("check", tmp_path / "a.sketch").out


def test_without_a_function_reports_go_to_the_log_without_control_characters(monkeypatch, caplog):
    monkeypatch.setattr(reporting, "_functions", [reporting._log])
    report_unusable("plugin `x` failed: \x1b]0;title\x07")
    assert [record.getMessage() for record in caplog.records] == [r"plugin `x` failed: \x1b]0;title\x07"]


def test_a_format_that_cannot_recognize_files_is_a_warning(install, capsys):
    install("sketch", sketches().replace('data.startswith(b"#sketch")', "data.nonsense()"))
    install("zigzag", sketches("zigzag"))
    for _ in range(2):
        assert detect(b"#sketch").name == "zigzag"
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: plugin `sketch` (sketch-music 1.2) failed in Format.recognize: AttributeError")


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("7", "it returned 7, not a Rank"),
        ("Rank((float('nan'),), 'x')", "the key of a Rank is NaN"),
        ("Rank('best', 'x')", "the key of a Rank is a tuple of numbers, not 'best'"),
    ],
)
def test_a_ranking_that_fails(install, composer, rank, message):
    install("mine", RANKING.format(name="mine", rank=rank))
    result = composer("gen", "abc", "--candidates", "2", "--bars", "1", "--seed", "1", "--rank-by", "mine")
    result.failed("plugin `mine` (sketch-music 1.2) failed in Ranking.rank", message)


@pytest.mark.parametrize(
    ("functions", "problem"),
    [
        ("score=lambda score: [Problem(0, 0, 'odd', 'odd music')]", "1:1: error: odd music"),
        ("data=lambda data: [Problem(2, 3, 'odd', f'{len(data)} bytes')]", "2:3: error: "),
        ("score=lambda score: 1 // 0", "1:1: warning: plugin `strict` (sketch-music 1.2) failed in Check.score"),
        ("data=lambda data: 'no'", "warning: plugin `strict` (sketch-music 1.2) failed in Check.data: it returned 'n'"),
        ("data=lambda data: [Problem(1, 1, '', '')]", "failed in Check.data: kind, message, tune and title"),
        ("data=lambda data: [Problem(-1, 1, 'a', 'b')]", "failed in Check.data: line and column"),
        ("data=lambda data: [Problem(1, 1, 'a', 'b', 'bad')]", "failed in Check.data: the severity"),
    ],
)
def test_checks(install, composer, tmp_path, functions, problem):
    (tmp_path / "a.abc").write_text("X:1\nT:One\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\n")
    assert composer("check", tmp_path / "a.abc").code == 0
    install("strict", CHECK.format(functions=functions))
    result = composer("check", tmp_path / "a.abc")
    assert result.code == 1
    assert result.out.count("\n") == 1
    assert problem in result.out


def test_a_broken_preset_is_a_warning_in_the_list(install, composer):
    install("bad", PRESET.format(text="no toml at all"))
    listed = composer("presets")
    assert listed.err.startswith("warning: invalid preset 'bad' of sketch-music 1.2: ")
    assert listed.out.count("\n") == len(presets.preset_names()) - 1
    composer("presets", "bad").failed("invalid preset 'bad' of sketch-music 1.2", "author")
    composer("presets", "badd").failed("unknown preset 'badd'", "`bad`", code=2)


def test_a_plugin_that_does_not_load_explains_why_its_name_is_unknown(install, composer):
    install("sketch", "raise RuntimeError('no libfoo')")
    composer("gen", "abc", "--format", "sketch").failed(
        "plugin `sketch` (sketch-music 1.2) failed to load", "no libfoo"
    )


def test_a_plugin_that_does_not_load_is_a_warning_only_where_it_may_be_missed(install, composer, capsys, tmp_path):
    install("sketch", "raise RuntimeError('no libfoo')")
    assert detect(b"nothing known") is None
    assert not capsys.readouterr().err
    commands = ("gen", "abc", "-o", tmp_path / "a.sketch"), ("presets",)
    printed = [line for command in commands for line in composer(*command).err.splitlines()]
    warnings = [line for line in printed if line.startswith("warning:")]
    assert len(warnings) == 1
    assert warnings[0].startswith("warning: plugin `sketch` (sketch-music 1.2) failed to load")


def test_pretrained_models(install, composer, tmp_path, checkpoint):
    """A model of a plugin is used by its name, and after those of the user and the bundled ones."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("abc", "small"):
        shutil.copyfile(checkpoint, folder / f"{name}.safetensors")
    (folder / "odd.safetensors").write_bytes(b"no model")
    (folder / "small.md").write_text("# A small model\n")
    install("models", PRETRAINED.format(folder=str(folder)))
    assert store.resolve_model(Path("small")) == folder / "small.safetensors"
    assert store.resolve_model(Path("abc")) == store.default("abc") == store.bundled("abc")
    assert store.resolve_model(Path("sketch-music:abc")) == folder / "abc.safetensors"
    assert composer("show", "small").out.endswith("# A small model\n")
    asked = ("--seed", "1", "--length", "60")
    made = composer("gen", "abc", "-c", "small", *asked)
    assert made.data == composer("gen", "abc", "-c", checkpoint, *asked).data
    assert composer("replay", "-", stdin=made.data).err.endswith("stdin: reproduced exactly\n")
    listed = composer("plugins", "pretrained")
    assert "  small             abc, lstm" in listed.out
    assert "  sketch-music:abc  abc, lstm" in listed.out
    assert listed.err.startswith("warning: sketch-music 1.2: ")
    install("models", PRETRAINED.format(folder=str(folder)), "other-music")
    with pytest.raises(PluginError, match="both have a pretrained model called `small`"):
        store.resolve_model(Path("small"))


def test_a_pretrained_model_is_the_default_if_no_other_is_there(install, tmp_path, checkpoint, monkeypatch):
    install("models", PRETRAINED.format(folder=str(checkpoint.parent)))
    monkeypatch.setattr(store, "PRETRAINED", tmp_path)
    assert store.default("abc") == checkpoint
