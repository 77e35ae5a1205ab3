"""`composer eval`: likelihood, comparison with generated pieces, and errors."""

import json
import math

import numpy as np
import pytest

from composer.analysis.likelihood import Evaluation, evaluate
from composer.api import Piece, Source
from composer.api.network import Network
from composer.checkpoints.file import read_header
from composer.checkpoints.load import load_model, open_checkpoint
from composer.cli.commands.eval import _line
from composer.cli.console import Console
from composer.cli.render.reading_progress import ReadingProgress


@pytest.fixture
def evaluated(composer, checkpoint):
    return lambda *arguments: composer("eval", "abc", "--checkpoint", checkpoint, *arguments)


def bits_and_steps(checkpoint, path, stream=False):
    """Return the total bits and the number of steps of the tunes in a file, as the sampler computes them."""
    player = load_model(checkpoint, "abc")
    total, count = 0.0, 0
    state = player.sampler.initial_state([{}])
    for piece in player.representation.read(Source(path)):
        assert isinstance(piece, Piece)
        state = state if stream else player.sampler.initial_state([{}])
        for step in player.representation.encode(piece):
            total -= float(player.sampler.log_prob(state, np.array([step]))[0]) / math.log(2)
            state = player.sampler.advance(state, np.array([step]))
            count += 1
    return total, count


def test_likelihood_equals_that_of_the_sampler(evaluated, checkpoint, tunes):
    total, count = bits_and_steps(checkpoint, tunes)
    found = json.loads(evaluated(tunes, "--json").out)
    assert found["value"] == pytest.approx(total / count, abs=1e-4)
    assert (found["pieces"], found["steps"], found["unit"]) == (4, count, "bits per character")
    assert (found["stderr"], found["rejected"], found["stream"]) == (0, {}, False)
    line = evaluated(tunes).out
    assert f": {total / count:.3f} bits per character (4 pieces, {count:,} characters)\n" in line


def test_a_markov_chain_of_the_same_training_data_is_measured_too(composer, tunes):
    for model in ("lstm", "markov"):
        small = () if model == "markov" else ("--set", "hidden=4", "--max-updates", "1")
        named = ("--model", model, "--name", model, "--batch-size", "1", *small)
        assert composer("train", "abc", tunes, *named).code == 0
    line, baseline = composer("eval", "abc", tunes, "--checkpoint", "lstm").out.splitlines()
    (itself,) = composer("eval", "abc", tunes, "--checkpoint", "markov").out.splitlines()
    assert line.startswith("lstm: ")
    assert baseline == f"markov order 4: {itself.split()[1]} bits per character"
    found = json.loads(composer("eval", "abc", tunes, "--checkpoint", "lstm", "--json").out)
    assert baseline == f"{found['baseline_name']}: {found['baseline']:.3f} {found['unit']}"


def test_a_model_from_before_there_were_baselines(evaluated, tunes):
    found = json.loads(evaluated(tunes, "--json").out)
    assert (found["baseline"], found["baseline_name"]) == (None, "")
    assert len(evaluated(tunes).out.splitlines()) == 1


def test_stream_measures_one_text(evaluated, checkpoint, tunes):
    total, count = bits_and_steps(checkpoint, tunes, stream=True)
    found = json.loads(evaluated(tunes, "--stream", "--json").out)
    assert (found["value"], found["stream"]) == (pytest.approx(total / count, abs=2e-5), True)
    assert evaluated(tunes, "--stream").out.endswith(" characters, as one sequence)\n")
    assert found["value"] != pytest.approx(json.loads(evaluated(tunes, "--json").out)["value"], abs=1e-4)


def test_stream_warns_when_the_model_was_trained_on_separate_pieces(evaluated, composer, tunes):
    warning = "warning: small was trained on separate pieces; --stream makes its likelihood look worse\n"
    assert evaluated(tunes, "--stream").err.count(warning) == 1
    assert warning not in evaluated(tunes).err
    small = ("--set", "hidden=4", "--max-updates", "1", "--name", "mine", "--set", "contiguous=on")
    assert composer("train", "abc", tunes, *small).code == 0
    done = composer("eval", "abc", tunes, "--checkpoint", "mine", "--stream")
    assert (done.code, "separate pieces" in done.err) == (0, False)


def test_pieces_that_cannot_be_encoded_are_counted(evaluated, tunes, tmp_path):
    (tmp_path / "more.abc").write_text(tunes.read_text() + "\nX:5\nM:9/8\nL:1/8\nK:G\nG3 G3 G3|\n")
    done = evaluated(tmp_path / "more.abc", "--json")
    assert list(json.loads(done.out)["rejected"].values()) == [1]
    assert "skipped 1 piece:" in done.err


def test_a_rare_letter_in_a_title_excludes_no_tune(evaluated, tunes, tmp_path):
    (tmp_path / "more.abc").write_text(tunes.read_text() + "\nX:5\nT:Quick! 99 Q?\nM:4/4\nL:1/8\nK:G\nG8|\n")
    done = evaluated(tmp_path / "more.abc", "--json")
    assert json.loads(done.out)["rejected"] == {}
    assert "letters in titles replaced" in done.err


def test_part_of_a_split_file(evaluated, tunes, tmp_path):
    listing = tmp_path / "split.txt"
    listing.write_text("train tunes.abc: tune 1\ntest tunes.abc: tune 2\ntest tunes.abc: tune 3\n")
    assert json.loads(evaluated(tunes, "--split", listing, "--json").out)["pieces"] == 2
    assert json.loads(evaluated(tunes, "--split", listing, "--part", "train", "--json").out)["pieces"] == 1
    evaluated(tunes, "--split", listing, "--part", "valid").failed("in part `valid` of split.txt")
    evaluated(tunes, "--split", listing, "--part", "tset").failed("invalid value for --part: 'tset'", code=2)


def test_part_of_the_split_that_the_model_was_trained_with(composer, tmp_path, home):
    orders = [f"{'CDEFG'[first:]}{'CDEFG'[:first]}" for first in range(5)]
    bars = [" ".join(f"{low}2{high}2" * 2 + "|" for low in order) for high in "cdefgab" for order in orders]
    tunes = [f"X:{n}\nT:Number {n}\nM:4/4\nL:1/8\nK:C\n{each}]\n" for n, each in enumerate(bars, 1)]
    (tmp_path / "many.abc").write_text("\n".join(tunes))
    done = composer("train", "abc", tmp_path / "many.abc", "--max-updates", "1", "--set", "hidden=4", "--name", "mine")
    assert done.code == 0, done.err
    held = read_header(home / "models" / "mine.safetensors").record["pieces"]["valid"]
    command = ("eval", "abc", tmp_path / "many.abc", "--checkpoint", "mine", "--part")
    assert json.loads(composer(*command, "valid", "--json").out)["pieces"] == held > 0
    composer(*command, "test").failed("no pieces in part `test` of the model's split")


def test_unreadable_files_and_other_representations(evaluated, composer, checkpoint, tmp_path):
    (tmp_path / "words.abc").write_text("no tune\n")
    evaluated(tmp_path / "words.abc").failed("words.abc")
    evaluated(tmp_path / "none.abc").failed("no such file or folder")
    composer("eval", "nosuch", tmp_path).failed("unknown representation 'nosuch'", code=2)
    composer("eval", "pianoroll", tmp_path, "--checkpoint", checkpoint).failed(
        "is a model for `abc`, not `pianoroll`", "composer eval abc "
    )


def test_progress_is_shown_from_the_start(stream):
    console = Console(stream(), stream(), stream(terminal=True), {"TERM": "xterm"})
    seconds = iter([0, 60])
    with ReadingProgress(console, lambda: float(next(seconds))) as reading:
        for done in range(2):
            reading.update_measured(done, 4)
    assert console.stderr.data.decode().split("\r")[1:3] == [
        "evaluating: 0%\033[K",
        "evaluating: 25%, 3 min left\033[K",
    ]


def test_progress_in_a_pipe_is_printed_at_growing_intervals(stream, monkeypatch, first_line):
    monkeypatch.setattr("composer.cli.render.reading_progress.FIRST_LINE", first_line)
    console = Console(stream(), stream(), stream(), {"TERM": "xterm"})
    seconds = iter([0, 1.9, 2, 3.9, 12, 20, 30])
    with ReadingProgress(console, lambda: float(next(seconds))) as reading:
        for done in (0, 0.125, 0.1875, 0.25, 0.5, 1, 1.5):
            reading.update_measured(done, 2)
    assert console.stderr.data.decode().splitlines() == [
        "evaluating: 9%",
        "evaluating: 25%, 36 s left",
        "evaluating: 75%, 10 s left",
    ]


def test_progress_is_reported_before_the_first_window(checkpoint, tunes):
    reports = []
    opened = open_checkpoint(checkpoint, "abc", "eval")
    evaluate(opened, [str(tunes)], progress=lambda *counts: reports.append(counts))
    assert reports[0] == (0, reports[-1][1])
    assert reports[-1][0] == reports[-1][1] > 0


def test_progress_within_a_window_is_reported(checkpoint, tunes, monkeypatch):
    def slow(network, batch, state, effort=1):
        network.on_progress(0.5)
        return Network.likelihood(network, batch, state, effort)

    reports = []
    opened = open_checkpoint(checkpoint, "abc", "eval")
    kind = type(opened.model.network(opened.checkpoint.header.spec, opened.config))
    monkeypatch.setattr(kind, "likelihood", slow)
    evaluate(opened, [str(tunes)], progress=lambda *counts: reports.append(counts))
    assert (0.5, reports[-1][1]) in reports


@pytest.mark.parametrize(
    ("stderr", "shown"),
    [(0.0, ""), (0.000213, " ± 0.00021"), (1.7e-5, " ± 0.000017"), (0.0446, " ± 0.045"), (123.0, " ± 120")],
)
def test_standard_error_has_two_significant_digits(stderr, shown):
    assert _line("mine", Evaluation(3.25, stderr, "nats per frame", 1, 2), "frame").startswith(
        f"mine: 3.250{shown} nats per frame (1 piece"
    )


class TestGenerated:
    def test_table(self, evaluated, tunes):
        done = evaluated(tunes, "--generated", "5")
        assert done.code == 0, done.err
        title, heads, *lines = done.out.splitlines()
        assert title == "small: 5 generated pieces (seed 1, temperature 1) compared with a corpus of 4 pieces"
        assert heads.split() == ["generated", "corpus", "distance"]
        assert {"pitch", "harmony", "rhythm", "form", "copying", "validity"} <= {line.strip() for line in lines}
        filled = next(line for line in lines if "every bar fills its meter" in line)
        assert filled.split()[-7:] == ["100.0%", "±", "0.0", "100.0%", "±", "0.0", "+0.00"]
        assert "within one standard deviation" in done.err
        assert "copied runs were searched for in this corpus" in done.err

    def test_json(self, evaluated, tunes):
        done = evaluated(tunes, "--generated", "5", "--seed", "7", "--temp", "0.8", "--json")
        result = json.loads(done.out)
        assert (result["representation"], result["seed"], result["temperature"]) == ("abc", 7, 0.8)
        assert (result["generated"]["pieces"], result["corpus"]["pieces"], result["copied_from"]) == (5, 4, "corpus")
        pitches = result["metrics"]["pitches_used"]
        assert set(pitches) == {"generated", "corpus", "distance"}
        apart = pitches["generated"]["mean"] - pitches["corpus"]["mean"]
        assert pitches["distance"] == pytest.approx(apart / pitches["corpus"]["deviation"])
        assert done.out == evaluated(tunes, "--generated", "5", "--seed", "7", "--temp", "0.8", "--json").out

    @pytest.mark.parametrize("rep", ["grid", "pianoroll"])
    def test_other_representations(self, composer, rep, tunes):
        done = composer("eval", rep, tunes, "--generated", "2", "--json")
        result = json.loads(done.out)
        assert (result["checkpoint"], result["generated"]["pieces"], result["copied_from"]) == (rep, 2, "training data")
        assert {"pitch_class_entropy", "groove_consistency", "bars_that_return", "copied"} <= set(result["metrics"])
        assert "bars_filled" not in result["metrics"], "only notation has bars of its own"

    def test_text(self, composer, tmp_path):
        (tmp_path / "poems.txt").write_text("The moon is up,\nthe moon is on the hill.\n\nThe night is long.\n")
        done = composer("eval", "text", tmp_path, "--generated", "1")
        lines = next(line for line in done.out.splitlines() if line.startswith("  lines  "))
        assert lines.split()[-4:] == ["3.00", "±", "–", "–"], "one piece has no deviation"
        assert "copying" in done.out
        assert "is unknown" not in done.err, "copied lines are searched in the corpus, not in melodies"

    def test_comparison_with_part_of_a_split_file(self, evaluated, tunes, tmp_path):
        listing = tmp_path / "split.txt"
        listing.write_text("train tunes.abc: tune 1\ntest tunes.abc: tune 2\n")
        result = json.loads(evaluated(tunes, "--generated", "2", "--split", listing, "--json").out)
        assert result["corpus"]["pieces"] == 1
        assert result["metrics"]["pitches_used"]["corpus"]["deviation"] is None
        assert {measure["distance"] for measure in result["metrics"].values()} == {None}

    def test_no_distances_from_a_single_piece(self, evaluated, tmp_path):
        (tmp_path / "one.abc").write_text("X:1\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n")
        done = evaluated(tmp_path / "one.abc", "--generated", "2")
        assert done.code == 0, done.err
        assert "within one" not in done.err
        assert "no distances: a single piece has no standard deviation" in done.err

    def test_skipped_pieces_are_counted(self, evaluated, tunes, tmp_path):
        (tmp_path / "more.abc").write_text(tunes.read_text() + "\nX:5\nM:9/8\nL:1/8\nK:G\nG3 G3 G3|\n")
        done = evaluated(tmp_path / "more.abc", "--generated", "2", "--json")
        assert json.loads(done.out)["corpus"]["pieces"] == 4
        assert "skipped 1 piece:" in done.err
        assert "cannot be encoded, such as" in done.err

    def test_color_only_on_a_terminal(self, evaluated, composer, checkpoint, tunes):
        assert "\033" not in evaluated(tunes, "--generated", "2").out
        command = ("eval", "abc", tunes, "--checkpoint", checkpoint, "--generated", "2", "--quiet")
        assert "\033[" in composer(*command, terminal=True).out

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--generated", "0"], "invalid value for --generated: '0'"),
            (["--generated", "-3"], "invalid value for --generated: '-3'"),
            (["--generated", "1000000"], "use 1 to 10,000"),
            (["--generated", "2", "--temp", "-1"], "invalid value for --temp: '-1'"),
            (["--generated", "2", "--temp", "nan"], "invalid value for --temp: 'nan'"),
            (["--generated", "2", "--seed", "-1"], "invalid value for --seed: '-1'"),
            (["--generated", "2", "--effort", "3"], "--effort cannot be combined with --generated"),
            (["--generated", "2", "--stream"], "--stream cannot be combined with --generated"),
            (["--seed", "3"], "--seed needs --generated"),
            (["--temp", "0.5"], "--temp needs --generated"),
        ],
    )
    def test_invalid_options(self, evaluated, tunes, options, words):
        evaluated(tunes, *options).failed(words, code=2)

    def test_unreadable_files_and_models(self, evaluated, composer, checkpoint, tunes, tmp_path):
        (tmp_path / "empty").mkdir()
        evaluated(tmp_path / "empty", "--generated", "2").failed("empty")
        (tmp_path / "broken.safetensors").write_bytes(b"no model")
        command = ("eval", "abc", tunes, "--generated", "2", "--checkpoint")
        composer(*command, tmp_path / "broken.safetensors").failed("broken.safetensors")
        composer("eval", "grid", tunes, "--generated", "2", "--checkpoint", checkpoint).failed(
            "is a model for `abc`, not `grid`", "composer eval abc FILES... --generated"
        )
