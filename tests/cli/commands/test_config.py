"""`composer config`: defaults of options from a file, which name their place if they are wrong."""

import json
import os

import pytest

from composer.api import Unsatisfiable, UsageError
from composer.cli.console import Console
from composer.system.paths import config_file

GEN = ("gen", "abc", "--length", "100", "--seed", "1")


@pytest.fixture
def write(home):
    """Write the configuration file."""

    def write(text):
        home.mkdir(exist_ok=True)
        config_file().write_text(text)
        return config_file()

    return write


def test_set_get_unset(composer, home):
    assert composer("config").err.startswith("nothing is set; for example: composer config set ")
    composer("config", "set", "gen.abc.temp", "0.5")
    composer("config", "set", "gen.quiet", "true")
    composer("config", "set", "gen.abc.key", "D")
    assert config_file().read_text() == '[gen.abc]\nkey = "D"\ntemp = 0.5\n\n[gen]\nquiet = true\n'
    got = composer("config", "get", "gen.abc.temp")
    assert (got.out, got.err) == ("0.5\n", f"from: {config_file()}, line 3\n")
    assert composer("config", "get", "gen.temp").err == "from: default\n"
    composer("config", "set", "gen.abc.temp", "0.7")
    assert composer("config", "get", "gen.abc.temp").out == "0.7\n"
    composer("config", "unset", "gen.abc.temp")
    assert config_file().read_text() == '[gen.abc]\nkey = "D"\n\n[gen]\nquiet = true\n'
    composer("config", "unset", "gen.abc.temp").failed("gen.abc.temp is not set", code=2)
    assert composer("config", "path").out == f"{home / 'config.toml'}\n"


def test_the_command_line_comes_before_the_file(composer, write):
    usual, hot, cool = (composer(*GEN, *temp).data for temp in ((), ("--temp", "1"), ("--temp", "0.5")))
    cooler, keyed = composer(*GEN, "--temp", "0.3").data, composer(*GEN, "--temp", "0.5", "--key", "D").data
    write("[gen]\ntemp = 0.3\n\n[gen.grid]\nbars = 4\n")
    assert composer(*GEN).data == cooler
    write('[gen]\ntemp = 0.3\n[gen.abc]\ntemp = "0.5"\n')
    assert composer(*GEN).data == cool
    assert composer(*GEN, "--temp", "1").data == hot
    write('[gen.abc]\ntemp = 0.5\nkey = "D"\n')
    assert composer(*GEN).data == keyed
    config_file().unlink()
    assert composer(*GEN).data == usual
    assert composer("replay", "-", stdin=keyed).err.endswith("stdin: reproduced exactly\n")


def test_flags(composer, write):
    write("[gen]\nprovenance = false\nunconstrained = false\n")
    assert "N:composer" not in composer(*GEN).out
    write("[gen]\nprovenance = true\n")
    assert "N:composer" in composer(*GEN).out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('temp = "hot"', "gen.abc.temp: invalid value for --temp: 'hot'"),
        ("temp = [1]", "gen.abc.temp: invalid value: '[1]'"),
        ("seed = -1", "gen.abc.seed: invalid value for --seed: '-1'"),
        ("quiet = 1", "gen.abc.quiet: invalid value: '1'"),
        ("bars = true", "gen.abc.bars: invalid value for --bars: 'true'"),
        ("tempoo = 1", "unknown key 'gen.abc.tempoo'"),
        ("force = true", "gen.abc.force: --force cannot have a default"),
        ("temp = hot", "not valid TOML: invalid value"),
    ],
)
def test_wrong_values_name_their_line(composer, write, line, words):
    path = write(f"# mine\n[gen.abc]\n{line}\n")
    found = composer(*GEN)
    found.failed(f"{path}, line 3: {words}", code=1 if "TOML" in words else 2)
    assert composer("--help").code == composer("gen", "abc", "--help").code == 0
    assert words in composer("config").err
    assert composer("config", "path").code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[gne]\n", "unknown command 'gne'"),
        ("gen = 1\n", "gen must be a table"),
        ("[config]\njson = true\n", "unknown command 'config'"),
        ("[gen.abd]\ntemp = 1\n", "unknown representation 'abd'"),
    ],
)
def test_wrong_tables(composer, write, text, words):
    write(text)
    composer(*GEN).failed(f"{config_file()}, line 1: {words}", code=2)


def test_options_of_a_command_that_is_no_dataclass(composer, write, tunes):
    write("[check]\nlimit = 1\n")
    composer("check", tunes).failed("line 2: unknown key 'check.limit'", code=2)
    write('[train.abc]\nepochs = 3\n[train]\ndevice = "none"\n')
    composer("train", "abc", tunes, "--resume").failed("none", code=2)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('soundfont = "none"\nvelocity = 90', ()),
        ("ending-tries = 3\nparticles = 4", ()),
        ('keep = 2\nport = "x"', ()),
        ('condition = ["artist=burns"]', ()),
        ("candidates = 3\nkeep = 2", ("--count", "1", "--candidates", "1")),
        ('format = "midi"', ("-o", "{folder}/a.abc")),
        ("count = 3", ("-o", "{folder}/a.mid")),
        ("unconstrained = true", ("--key", "D")),
    ],
)
def test_a_default_is_left_out_where_it_has_no_effect_or_contradicts_what_is_typed(
    composer, write, tmp_path, text, arguments
):
    command = [*GEN, "--candidates", "1", *(each.format(folder=tmp_path) for each in arguments)]
    typed = [tmp_path / word for word in command if word.startswith(str(tmp_path))]
    expected = composer(*command), [path.read_bytes() for path in typed]
    for path in typed:
        path.unlink()
    write(f"[gen]\n{text}\n")
    assert (composer(*command), [path.read_bytes() for path in typed]) == expected
    assert expected[0].code == 0


def test_a_default_that_is_left_out_of_one_command_is_used_in_the_next(composer, write, tmp_path):
    write("[gen]\nvelocity = 33\n")
    assert composer(*GEN).code == composer(*GEN, "-o", tmp_path / "a.mid").code == 0
    data = (tmp_path / "a.mid").read_bytes()
    (tmp_path / "a.mid").unlink()
    config_file().unlink()
    composer(*GEN, "--velocity", "33", "-o", tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == data


@pytest.mark.parametrize(
    ("table", "arguments"),
    [
        ('[gen.abc]\nkey = "G"', ("abc", "--candidates", "1", "--prime", "{tune}", "--keep-bars", "1")),
        ('[gen.abc]\nkey = "D"', ("abc", "--candidates", "1", "--scale", "G major")),
        ("[gen.abc]\nbars = 8\nkey = 'G'", ("abc", "--candidates", "1", "--prime", "{tune}", "--keep-bars", "1")),
        ("[gen.pianoroll]\nbars = 2", ("pianoroll", "--prime", "{tune}", "--keep-bars", "1", "--particles", "1")),
        ("[gen.pianoroll]\nbars = 900", ("pianoroll", "--length", "100")),
        (
            '[gen.pianoroll]\nphrase-ends = "triads"',
            ("pianoroll", "--prime", "{tune}", "--keep-bars", "1", "--particles", "1"),
        ),
    ],
)
def test_a_default_is_left_out_if_no_piece_satisfies_it_and_what_is_typed(
    composer, write, short_tune, table, arguments
):
    command = ["gen", *(each.format(tune=short_tune) for each in arguments), "--seed", "1"]
    expected = composer(*command)
    write(f"{table}\n")
    assert composer(*command) == expected
    assert expected.code == 0


def test_controls_in_the_file_that_contradict_each_other(composer, write):
    write('[gen.abc]\nkey = "D"\nscale = "G major"\n')
    composer(*GEN).failed("the configuration file sets gen.abc.key and gen.abc.scale", code=2)
    assert composer(*GEN, "--key", "G").code == 0
    write('[gen.abc]\nkey = "D"\n')
    composer(*GEN, "--key", "D", "--scale", "G major").failed("--key D contradicts --scale G major", code=1)


def test_the_wording_of_an_error_decides_nothing(composer, write, monkeypatch):
    def fail(*_):
        raise UsageError("--temp is named", "a hint")

    write("[gen]\ntemp = 0.5\n")
    monkeypatch.setattr("composer.cli.gen.plan.check_primer", fail)
    composer(*GEN).failed("--temp is named", code=2)


def test_nothing_is_left_out_after_the_first_step(composer, write, monkeypatch):
    calls = []

    def fail(plan, *_):
        calls.append(plan)
        raise Unsatisfiable("not these", "a hint", flags=("--temp",))

    write("[gen]\ntemp = 0.5\n")
    monkeypatch.setattr("composer.cli.gen.run._write_pieces", fail)
    composer(*GEN).failed("not these", code=1)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("text", "is_kept"), [("", False), ("[gen.grid]\nbars = 4\n", False), ("[gen]\ntemp = 1\n", True)]
)
def test_stdin_is_kept_only_if_a_default_could_be_left_out(composer, write, monkeypatch, short_tune, text, is_kept):
    kept = []

    def keep(console):
        kept.append(console)

    monkeypatch.setattr(Console, "keep_stdin", keep)
    write(text)
    composer(*GEN[:2], "--seed", "1", "--candidates", "1", "--prime", "-", stdin=short_tune.read_bytes())
    assert bool(kept) is is_kept


def test_options_without_effect_are_refused_if_they_are_typed(composer, write):
    write("[gen]\nvelocity = 90\n")
    composer(*GEN, "--velocity", "80").failed("--velocity has no effect on `abc`", "leave out --velocity", code=2)
    write('[gen]\nsoundfont = "none"\n')
    composer(*GEN, "--velocity", "80").failed("--velocity has no effect on `abc`", code=2)


def test_music_on_stdin_is_read_again_without_a_default(composer, write, short_tune):
    data, command = short_tune.read_bytes(), (*GEN[:2], "--seed", "1", "--candidates", "1", "--prime", "-")
    expected = composer(*command, stdin=data)
    write("[gen]\nparticles = 4\n")
    assert composer(*command, stdin=data) == expected
    assert expected.code == 0


def test_defaults_of_other_commands_and_representations_are_left_out(composer, write, short_tune, tmp_path):
    chords = composer("harmonize", short_tune, "--style", "chords").out
    write("[harmonize]\nvoices = 3\nparticles = 5\ntemp = 1\nseed = 2\n")
    assert composer("harmonize", short_tune, "--style", "chords").out == chords != ""
    write('[convert]\nsoundfont = "none"\n')
    assert composer("convert", short_tune, "--to", "midi", "-o", tmp_path / "a.mid").code == 0
    write('[gen]\nformat = "midi"\nplay = true\nrank-by = "form"\n')
    said = composer("gen", "text", "--length", "30", "--seed", "1", "--candidates", "1")
    assert (said.code, said.err.count("truncated"), "model" in said.err) == (0, 1, False)


def test_defaults_that_contradict_each_other(composer, write):
    write("[gen]\ncount = 3\n\n[gen.abc]\ncandidates = 2\n")
    both = "the configuration file sets gen.count and gen.abc.candidates"
    composer(*GEN).failed(both, "hint: composer config unset gen.count\n", code=2)
    assert composer(*GEN, "--count", "1").code == 0
    assert composer(*GEN, "--candidates", "2").code == 0


def test_an_unusual_file_is_not_changed(composer, write):
    path = write("gen = {temp = 1}\n")
    composer("config", "set", "gen.temp", "0.5").failed(f"{path}, line 1: cannot change gen.temp")
    assert path.read_text() == "gen = {temp = 1}\n"
    assert json.loads(composer("config", "--json").out) == [
        {"key": "gen.temp", "value": 1, "origin": f"{path}, line 1"}
    ]


def test_wrong_keys_are_not_set(composer):
    composer("config", "set", "gen.tempoo", "1").failed("unknown key 'gen.tempoo'", "`gen.tempo`", code=2)
    composer("config", "set", "gen.nope", "1").failed("'gen.nope'", "see all keys: composer config list gen", code=2)
    composer("config", "set", "gen.bars", "8").failed("gen.bars: --bars", "`gen.abc.bars`, `gen.grid.bars`", code=2)
    composer("config", "set", "gen.output", "x").failed("gen.output: --output cannot have a default", code=2)
    composer("config", "unset", "gen.tmp").failed("gen.tmp is not set", "see what is set: composer config", code=2)
    composer("config", "set", "gen", "1").failed("invalid key 'gen'", code=2)
    composer("config", "set", "gen.temp", "hot").failed("error: gen.temp: invalid value for --temp: 'hot'", code=2)
    composer("config", "set", "gen.grid.repeat-limit", "0").failed(
        "error: gen.grid.repeat-limit: invalid value for --repeat-limit: '0'", "use 1 to 1,000", code=2
    )
    composer("config", "set", "gne.temp", "1").failed("error: unknown command 'gne'", code=2)
    assert composer("config", "list", "gen.abc").out == composer("config", "list", "gen", "abc").out
    assert not config_file().exists()


def test_the_environment_comes_before_the_file(composer, write, monkeypatch):
    write('[gen]\ndevice = "none"\n')
    composer(*GEN).failed("none", code=2)
    assert composer("config", "get", "gen.device", COMPOSER_DEVICE="cpu").err == "from: COMPOSER_DEVICE\n"
    monkeypatch.setenv("COMPOSER_DEVICE", "cpu")
    assert composer(*GEN, COMPOSER_DEVICE="cpu").code == 0
    monkeypatch.setenv("COMPOSER_CONFIG", "none.toml")
    assert "warning: COMPOSER_CONFIG names a file that does not exist: none.toml" in composer("version").err
    monkeypatch.setenv("COMPOSER_CONFIG", "")
    assert composer(*GEN).err == ""
    composer("config").failed("COMPOSER_CONFIG is empty", code=2)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no devices on this system")  # noqa: PTH110
def test_a_device_as_the_file_is_read_up_to_a_limit(composer, monkeypatch):
    monkeypatch.setenv("COMPOSER_CONFIG", "/dev/zero")
    composer("config", "get", "gen.temp").failed("/dev/zero is larger than 1,000,000 bytes", "COMPOSER_CONFIG")
    monkeypatch.setenv("COMPOSER_CONFIG", "/dev/null")
    assert composer("config", "get", "gen.temp").code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_as_the_file_is_not_waited_for(composer, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("COMPOSER_CONFIG", str(tmp_path / "pipe"))
    composer("gen", "abc").failed(f"{tmp_path / 'pipe'} is a pipe or socket, not a file", "COMPOSER_CONFIG to a file")


def test_a_folder_as_the_file(composer, tmp_path, monkeypatch):
    monkeypatch.setenv("COMPOSER_CONFIG", str(tmp_path))
    composer("config").failed(f"{tmp_path} is a folder", "set COMPOSER_CONFIG to a file")
