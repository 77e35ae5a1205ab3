"""`composer show --surprise`: surprisal in color, as figures, and errors."""

import re

import pytest
from small_plugins import Letters

from composer.analysis.surprisal import Surprisal
from composer.api import Representation, Source, Unsupported
from composer.cli.render.surprisal import _texts_and_bits
from composer.formats.read import read_playable
from composer.music.bars import bars
from composer.registry import guard
from composer_lstm import sampler


@pytest.fixture
def shown(composer, checkpoint, tunes):
    """Run `composer show --surprise` on the tunes, with the small model that was trained on them."""

    def run(*arguments, file=tunes, **terminal):
        return composer("show", file, "--surprise", "--checkpoint", checkpoint, *arguments, **terminal)

    return run


def figures(out):
    """Return (steps, bits, mean) of the heading, and the rows below it as (bits, mean, text)."""
    heading = re.search(r"([\d,]+) steps, ([\d,.]+) bits, ([\d.]+) bits per step, model ", out)
    steps, bits, mean = (float(each.replace(",", "")) for each in heading.groups())
    rows = re.findall(r"^ +([\d.]+)  +([\d.]+)  (\S.*)$", out, re.MULTILINE)
    return (steps, bits, mean), [(float(own), float(each), text) for own, each, text in rows]


def test_row_per_bar_without_color(shown):
    result = shown("--tune", "2")
    assert result.code == 0, result.err
    assert result.out.startswith("The Wet Field: ")
    (steps, bits, mean), rows = figures(result.out)
    assert mean == pytest.approx(bits / steps, abs=0.01)
    assert [text for *_, text in rows][-4:] == ["|:ABA FED|", "d2d cBA|", "GBG FAF|", "E3 D3:|"]
    assert sum(own for own, *_ in rows) == pytest.approx(bits, abs=1)
    assert "\x1b" not in result.out


def test_colored_text_with_legend_on_a_terminal(shown):
    result = shown("--tune", "2", terminal=True)
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.out)
    assert "bits per step: ■ 0  ■ 1  ■ 2  ■ 4  ■ 8  ■ 16+" in plain
    assert "|:ABA FED|d2d cBA|GBG FAF|E3 D3:|" in plain


def test_colors_differ(composer, tunes):
    drawn = composer("show", tunes, "--surprise", "--tune", "1", terminal=True).out.partition("16+")[2]
    assert len(set(re.findall(r"\x1b\[38;2;[\d;]+m", drawn))) > 3


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_figures_on_a_terminal_without_color(shown, environ):
    assert shown("--tune", "2", terminal=True, **environ).out == shown("--tune", "2").out


def test_first_pieces_of_a_file(shown):
    assert len(re.findall(" steps, ", shown().out)) == 3
    result = shown("--limit", "1")
    assert len(re.findall(" steps, ", result.out)) == 1
    assert "--tune N" in result.err


def test_generated_music_has_low_surprisal(composer, tmp_path):
    (tmp_path / "own.abc").write_text(composer("gen", "abc", "--seed", "7", "--temp", "0.8").out)
    (tmp_path / "odd.abc").write_text("X:1\nM:4/4\nL:1/8\nK:G\n|:G^cB_e g'_AB,^f|_D2^g2 _e4:|\n")
    own, odd = (figures(composer("show", tmp_path / f"{name}.abc", "--surprise").out)[0] for name in ("own", "odd"))
    assert own[2] < 1.5 < 3 < odd[2]


@pytest.mark.parametrize("name", ["grid", "pianoroll"])
def test_row_per_bar_and_colored_piano_roll(composer, name, tmp_path):
    path = tmp_path / "tune.mid"
    assert composer("gen", name, "--seed", "4", "--length", "64", "--output", path).code == 0
    from composer.checkpoints.store import bundled

    result = composer("show", path, "--surprise", "--checkpoint", bundled(name))
    assert result.code == 0, result.err
    (_, bits, _), _ = figures(result.out)
    rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)(?:  █+)?$", result.out, re.MULTILINE)
    first = int(rows[0][0])
    (score, *_) = read_playable(Source(path))
    assert first == next(bars(score)).number, "bar 0 is a pickup"
    assert [int(number) for number, *_ in rows] == list(range(first, first + len(rows)))
    assert sum(float(own) for _, own, _ in rows) == pytest.approx(bits, abs=1)
    drawn = composer("show", path, "--surprise", "--checkpoint", bundled(name), terminal=True).out
    plain = composer("show", path, terminal=True).out
    assert "▀▀" in drawn
    assert len(set(re.findall(r"38;2;[\d;]+m", drawn))) > len(set(re.findall(r"38;2;[\d;]+m", plain)))


def test_row_per_line_of_text(composer, tmp_path):
    (tmp_path / "poem.txt").write_text("The sun is on the sea.\nXylophones quiz.\n")
    result = composer("show", tmp_path / "poem.txt", "--surprise")
    assert result.code == 0, result.err
    (_, first, text), (_, second, other) = figures(result.out)[1]
    assert (text, other) == ("The sun is on the sea.", "Xylophones quiz.")
    assert first < second


def test_stdin(composer, shown, tunes, checkpoint):
    piped = composer("show", "-", "--surprise", "--checkpoint", checkpoint, stdin=tunes.read_bytes())
    assert piped.out == shown().out


def test_tune_in_another_format_is_converted(composer, tmp_path):
    path = tmp_path / "field.mid"
    assert composer("gen", "abc", "--seed", "2", "--meter", "4/4", "--output", path).code == 0
    from composer.checkpoints.store import bundled

    result = composer("show", path, "--surprise", "--checkpoint", bundled("abc"))
    assert result.code == 0, result.err
    assert {"L:1/8", "M:4/4"} & {text for *_, text in figures(result.out)[1]}


def test_model_without_exact_probabilities(shown, monkeypatch):
    def score(*_):
        raise Unsupported("rnnrbm has no exact probability of a frame")

    monkeypatch.setattr(sampler.LstmSampler, "log_prob", score)
    monkeypatch.setattr(guard, "_guarded_types", {})  # the class may have been guarded as it was before
    result = shown()
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: rnnrbm has no exact probability")


def test_errors(composer, shown, checkpoint, tunes, tmp_path):
    composer("show", tunes, "--checkpoint", checkpoint).failed("--checkpoint needs --surprise", code=2)
    composer("show", checkpoint, "--surprise").failed(
        "is a model, not a piece", "composer show tune.abc --surprise", code=2
    )
    composer("show", tunes, "--surprise", "--checkpoint", "none").failed("no model 'none'")
    shown("--tune", "9").failed("has no piece 9")
    shown(file=tmp_path / "none.abc").failed("none.abc")
    (tmp_path / "words.txt").write_text("no music\n")
    shown(file=tmp_path / "words.txt").failed("words.txt")
    (tmp_path / "empty.abc").write_text("")
    shown(file=tmp_path / "empty.abc").failed("empty.abc")
    (tmp_path / "odd.abc").write_text("X:1\nT:Unseen\nM:9/8\nL:1/8\nK:G\n|:b'9:|\n")
    shown(file=tmp_path / "odd.abc").failed("odd.abc")


def test_each_step_has_its_text_without_a_decoder_that_streams():
    letters = type("Buffered", (Letters,), {"decoder": Representation.decoder})()
    letters.letters = ["a", "b"]
    chunks = list(_texts_and_bits(letters, Surprisal([1, 2, 2, 0], [0.5, 3.0, 1.0, 0.25])))
    assert chunks == [("a", 0.5), ("b", 3.0), ("b", 1.0), ("", 0.25), ("\n", 0.0)]
