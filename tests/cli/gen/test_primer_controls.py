"""Controls of tunes on the command line: keys, meters, infill, titles."""

import pytest

from composer.formats.abc.reader.bars import bars as bars_of
from composer.formats.abc.reader.lexer import split_tunes
from composer.formats.abc.reader.parser import parse_tune

TUNE = "X:1\nT:Given\nM:4/4\nL:1/8\nK:G\n|:GABc d2B2|c2A2 F4|E2G2 c2e2|d8:|\n"


@pytest.fixture
def gen(composer):
    def run(*arguments):
        one = () if "--keep-bars" in arguments else ("--candidates", "1")
        return composer("gen", "abc", "--quiet", "--no-provenance", "--seed", "2", *one, *arguments)

    return run


def test_controls_are_satisfied(gen):
    result = gen("--key", "D", "--mode", "dorian", "--meter", "6/8", "--rhythm", "jig", "--bars", "8")
    tune = parse_tune(split_tunes(result.out)[0])
    assert (tune.key.name, str(tune.time), tune.first("R")) == ("Ddor", "6/8", "jig")


def test_rhythm_implies_meter_and_title(gen):
    tune = parse_tune(split_tunes(gen("--seed", "40", "--rhythm", "jig", "--length", "100").out)[0])
    assert str(tune.time) == "6/8"
    assert "Reel" not in tune.first("T")


def test_infill_keeps_bars(gen, tmp_path):
    file = tmp_path / "given.abc"
    file.write_text(TUNE)
    lines = gen("--prime", file, "--keep-bars", "2-3").out.splitlines()
    bars = lines[-2].removeprefix("|:").removesuffix(":|").split("|")
    assert bars[1:3] == ["c2A2 F4", "E2G2 c2e2"]
    assert bars[0] != "GABc d2B2" or bars[3] != "d8"
    assert len(bars) == 4


def test_chord_symbols_of_a_primer_are_dropped(composer, tmp_path):
    file = tmp_path / "chords.abc"
    file.write_text('X:1\nM:4/4\nL:1/8\nK:G\n"G"GABc "G7"d2B2|"Am"c2A2 F4|E2G2 c2e2|d8|]\n')
    for control in ((), ("--keep-bars", "2"), ("--keep-bars", "2", "--key", "G")):
        result = composer("gen", "abc", "--seed", "2", "--prime", file, *control)
        assert "c2A2 F4|" in result.out
        assert "3 chord symbols left out" in result.err
    assert composer("show", "--surprise", file).code == 0
    assert "3  chord symbols left out" in composer("eval", "abc", file).err


@pytest.mark.parametrize("suffix", ["mid", "musicxml"])
def test_primer_in_another_format(gen, tmp_path, suffix):
    gen("--prime-text", "M:4/4\nL:1/8\nK:G\nG2A2 B2c2|d8|]", "--bars", "2", "--output", tmp_path / f"opening.{suffix}")
    for bars in ("3", "8"):
        result = gen("--prime", tmp_path / f"opening.{suffix}", "--bars", bars)
        [tune] = parse_tune(split_tunes(result.out)[0]).voices.values()
        assert len(bars_of(tune)) == int(bars)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--keep-bars", "1"), ("--prime FILE",)),
        (("--keep-bars", "9-4", "--prime-text", TUNE), ("--keep-bars: '9-4'", "9 is after 4")),
        (("--key", "H"), ("unknown key 'H'",)),
        (("--key", "G", "--unconstrained"), ("--unconstrained",)),
    ],
)
def test_invalid_combinations(gen, arguments, words):
    gen(*arguments).failed(*words, code=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--keep-bars", "5", "--prime-text", TUNE), ("no bar 5", "has 4 bars")),
        (("--keep-bars", "1-4", "--prime-text", TUNE), ("all 4 bars",)),
        (("--rhythm", "jig", "--meter", "4/4"), ("--meter 4/4", "--rhythm jig", "a jig is in 6/8")),
        (("--range", "C#4-C#4", "--scale", "C major"), ("--range C#4-C#4 contradicts --scale C major",)),
        (
            ("--bars", "8", "--length", "20"),
            ("--length 20 is too short for --bars 8", "characters", "use --length 125"),
        ),
        (("--keep-bars", "1", "--length", "20", "--prime-text", TUNE), ("--length 20 is too short for --keep-bars 1",)),
        (
            ("--bars", "5", "--meter", "6/8", "--prime-text", "M:4/4\nL:1/8\nK:G\nG8|"),
            ("--meter 6/8 contradicts the primer",),
        ),
    ],
)
def test_contradictory_controls(gen, arguments, words):
    gen(*arguments).failed(*words, code=1)


def test_warning_about_a_short_length(gen):
    assert "about 125 characters" in gen("--bars", "8", "--length", "80").err
    assert not gen("--bars", "8", "--length", "200").err
    assert not gen("--length", "80").err


@pytest.mark.parametrize(
    ("arguments", "way"),
    [
        (("--bars", "8"), 45 + 8 * 10),
        (("--bars", "8", "--length", "90"), 90),
        (("--bars", "8", "--prime-text", "M:4/4\nL:1/8\nK:G\nG8|"), 45 + 8 * 10 - 19),
        (("--keep-bars", "2", "--prime-text", TUNE), len(TUNE.removeprefix("X:1\n")) + 1),
    ],
)
def test_temperature_ramp_covers_the_expected_length(gen, arguments, way):
    assert gen(*arguments, "--temp", "0.6..1.4").out == gen(*arguments, "--temp", f"0.6..1.4/{way}").out


def test_title_replaces_the_generated_one(gen):
    plain, titled = gen(), gen("--title", "Grüße  100%")
    assert [line for line in titled.out.splitlines() if line.startswith("T:")] == ["T:Grüße 100\\%"]
    assert titled.out.splitlines()[1] == "T:Grüße 100\\%"
    body = plain.out[plain.out.index("M:") :]
    assert titled.out.endswith(body)


def test_title_in_other_formats(composer, gen):
    assert b"Gr\xc3\xbc\xc3\x9fe" in gen("--title", "Grüße", "--format", "musicxml").data
    written = composer("gen", "grid", "--quiet", "--seed", "2", "--format", "abc", "--title", "Grüße", "--length", "64")
    assert "T:Grüße\n" in written.out
    composer("gen", "text", "--title", "X").failed("--title does not work with `text`", "leave out --title", code=2)
