"""Ranked candidates, --max-copy and temperature ramps."""

import re
from dataclasses import replace
from math import log

import pytest
from melodies import melodies_of

from composer.api.sampling.params import SamplingParams
from composer.checkpoints.file import load, save
from composer.checkpoints.load import load_model
from composer.checkpoints.training_melodies import pack_melodies
from composer.cli.render.reading_progress import LineIntervals
from composer.formats.provenance import without_provenance
from composer.generation import request as generation_request
from composer.generation.generate import generate
from composer.generation.request import Generated, GenerationRequest


@pytest.fixture
def gen(composer, checkpoint):
    """Run `composer gen abc` with the small model of tunes."""
    return lambda *arguments: composer("gen", "abc", "--checkpoint", checkpoint, *arguments)


@pytest.fixture
def candidates(gen):
    """Run `composer gen abc --candidates 8` with the small model of tunes."""

    def run(*arguments):
        return gen("--candidates", "8", "--seed", "5", *arguments)

    return run


def music(data):
    """Return tunes without provenance."""
    return "".join(without_provenance(data.decode().splitlines(keepends=True)))


def kept_pieces(result):
    """Return number and value of the kept pieces, the best first."""
    lines = re.findall(r"^  (\d+)\. candidate (\d+): (-?[\d.]+)", result.err, re.MULTILINE)
    assert [int(place) for place, *_ in lines] == list(range(1, 1 + len(lines)))
    return [(int(number), float(figure)) for _, number, figure in lines]


def model_with_melodies(path, checkpoint, *seeds, **request_fields):
    """Save the small model at `path` with its own tunes of these seeds as training melodies."""
    player = load_model(checkpoint)
    representation, pieces = player.representation, []
    for seed in seeds:
        request = GenerationRequest(**{"length": representation.length, **request_fields}, seed=seed)
        events = generate(player.sampler, player.spec, request, representation.constraint())
        pieces.append(
            representation.decode([step for event in events if isinstance(event, Generated) for step in event.steps])
        )
    melodies = pack_melodies(melodies_of(pieces, representation).to_bytes())
    save(path, replace(load(checkpoint), extra=melodies))
    return path


@pytest.fixture
def with_melodies(checkpoint, tmp_path):
    """The small model with its tunes of seeds 5 and 7 as training melodies."""
    return model_with_melodies(tmp_path / "with_melodies.safetensors", checkpoint, 5, 7)


class TestCandidates:
    def test_best_are_written_in_order(self, candidates, gen, tmp_path):
        result = candidates("--keep", "3", "--rank-by", "form", "--output", tmp_path / "best%d.abc")
        assert result.code == 0, result.err
        assert "best 3 of 8 by form" in result.err
        kept = kept_pieces(result)
        assert [figure for *_, figure in kept] == sorted((figure for *_, figure in kept), reverse=True)
        assert sorted(path.name for path in tmp_path.glob("*.abc")) == ["best1.abc", "best2.abc", "best3.abc"]
        for place, (number, _) in enumerate(kept, 1):
            alone = gen("--seed", 4 + number, "--batch-size", "8", "--candidates", "1")
            assert music((tmp_path / f"best{place}.abc").read_bytes()) == music(alone.data)

    def test_default_is_the_best_one_by_form(self, candidates):
        result = candidates()
        assert "best 1 of 8 by form" in result.err
        assert result.out.count("X:1") == 1
        everything = kept_pieces(candidates("--keep", "8"))
        assert len({number for number, *_ in everything}) == 8
        assert kept_pieces(result) == everything[:1]

    def test_likelihood_prefers_what_is_as_likely_as_held_out_music(self, candidates, checkpoint, tmp_path):
        path = tmp_path / "measured.safetensors"
        for bits in (2.0, 3.0):
            save(path, load(checkpoint).with_record(best=bits * log(2), unit="bits per character"))
            result = candidates("--keep", "8", "--rank-by", "likelihood", "--checkpoint", path)
            assert f"held-out music {bits:.2f}" in result.err
            distances = [abs(figure - bits) for *_, figure in kept_pieces(result)]
            assert distances == pytest.approx(sorted(distances), abs=0.011)

    def test_several_in_one_file(self, candidates):
        assert re.findall("^X:(.*)$", candidates("--keep", "3").out, re.MULTILINE) == ["1", "2", "3"]

    def test_selection_is_reproducible(self, candidates):
        for by in ("likelihood", "form"):
            assert candidates("--keep", "2", "--rank-by", by).data == candidates("--keep", "2", "--rank-by", by).data

    def test_ranked_by_originality(self, candidates, with_melodies):
        result = candidates("--keep", "8", "--rank-by", "originality", "--checkpoint", with_melodies)
        assert result.code == 0, result.err
        figures = [figure for *_, figure in kept_pieces(result)]
        assert figures == sorted(figures)
        assert {number for number, *_ in kept_pieces(result)[-2:]} == {1, 3}

    def test_quiet(self, candidates):
        assert candidates("--quiet").err == ""

    def test_pieces_without_notes_are_not_kept(self, candidates, tmp_path):
        out = tmp_path / "t%d.mid"
        result = candidates("--keep", "8", "--length", "2", "--unconstrained", "--output", out)
        assert result.code == 1
        assert re.search(r"error: only \d pieces? could be kept: \d had no notes\n", result.err)
        assert len(list(tmp_path.glob("*.mid"))) == len(kept_pieces(result)) < 8

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--keep", "9"), ("invalid value for --keep: '9'", "use 1 to 8")),
            (("--keep", "0"), ("invalid value for --keep: '0'",)),
            (("--rank-by", "frm"), ("invalid value for --rank-by: 'frm'", "form")),
            (("--rank-by", "xyz"), ("likelihood, originality, form",)),
            (("--count", "2"), ("--count and --candidates", "--candidates 8 --keep 2")),
            (("--resume",), ("--resume and --candidates cannot be used together", "leave out --resume")),
            (("--candidates", "1000000001"), ("invalid value for --candidates: '1000000001'", "1 to 1,000,000")),
            (("--candidates", "0"), ("invalid value for --candidates: '0'",)),
            (("--candidates", "many"), ("invalid value for --candidates: 'many'", "a whole number")),
        ],
    )
    def test_invalid_selections(self, candidates, options, words):
        candidates(*options).failed(*words, code=2)

    def test_keep_and_rank_by_need_candidates(self, gen):
        gen("--keep", "2").failed("--keep needs --candidates", "--candidates 20", code=2)
        gen("--rank-by", "form").failed("--rank-by needs --candidates", code=2)

    def test_model_without_melodies(self, candidates):
        candidates("--rank-by", "originality").failed("melodies of the training data", "--rank-by originality")

    def test_text_cannot_be_ranked_as_music(self, composer):
        composer("gen", "text", "--candidates", "2", "--rank-by", "form").failed(
            "`text` is not music", "--rank-by likelihood", code=2
        )
        composer("gen", "text", "--candidates", "2", "--rank-by", "originality").failed(
            "does not work with `text`", "--rank-by originality", code=2
        )

    def test_not_with_several_processes(self, candidates, monkeypatch, tmp_path):
        for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}.items():
            monkeypatch.setenv(name, value)
        candidates("--output", tmp_path / "%d.abc").failed("--candidates does not work with several processes", code=2)


class TestMaxCopy:
    def test_copies_are_generated_again(self, gen, with_melodies, composer, tmp_path):
        limited = ("--checkpoint", with_melodies, "--count", "6", "--seed", "5", "--candidates", "1", "--output")
        assert gen(*limited, tmp_path / "any%d.abc").code == 0
        assert gen(*limited, tmp_path / "own%d.abc", "--max-copy", "12").code == 0
        same = [
            music((tmp_path / f"any{number}.abc").read_bytes()) == music((tmp_path / f"own{number}.abc").read_bytes())
            for number in range(1, 7)
        ]
        assert not same[0]
        assert not same[2]
        assert any(same)
        found = composer("originality", tmp_path / "own*.abc", "--checkpoint", with_melodies).out
        assert all(int(notes) <= 12 for notes in re.findall(r"(\d+) notes from bar", found))

    def test_pieces_do_not_depend_on_the_batch(self, gen, with_melodies):
        options = ("--checkpoint", with_melodies, "--seed", "5", "--max-copy", "12", "--batch-size", "3")
        assert music(gen(*options, "--count", "3").data).startswith(music(gen(*options).data).rstrip())

    def test_with_candidates(self, candidates, gen, with_melodies):
        result = candidates(
            "--checkpoint", with_melodies, "--max-copy", "12", "--rank-by", "originality", "--keep", "8"
        )
        assert result.code == 0, result.err
        assert max(figure for *_, figure in kept_pieces(result)) <= 12
        copied = music(gen("--seed", "5", "--candidates", "1", "--checkpoint", with_melodies).data)
        assert copied.partition("\n")[2] not in music(result.data)

    def test_attempts_are_limited(self, gen, checkpoint, tmp_path, monkeypatch):
        monkeypatch.setattr(generation_request, "MAX_ATTEMPTS", 3)
        path = model_with_melodies(
            tmp_path / "own.safetensors", checkpoint, 1, length=150, sampling=SamplingParams(0.0)
        )
        greedy = ("--temp", "0", "--seed", "1", "--length", "150", "--max-copy", "4")
        one = gen(*greedy, "--checkpoint", path)
        one.failed("piece 1: all 3 attempts copied more than 4 consecutive notes", "--max-copy")
        monkeypatch.setattr(LineIntervals, "is_due", lambda *_: True)
        said = gen(*greedy, "--checkpoint", path).err
        assert re.findall(r"generating: [0-9]+ characters, ([0-9]) attempts? rejected", said) == ["1", "2", "3"]
        many = gen(*greedy, "--checkpoint", path, "--count", "2", "--output", tmp_path / "o%d.abc")
        assert many.code == 1
        assert "warning: skipped piece 2: all 3 attempts" in many.err
        assert "2 of 2 pieces copied too much and were skipped" in many.err
        assert not list(tmp_path.glob("o?.abc"))
        chosen = gen(*greedy, "--checkpoint", path, "--candidates", "2")
        assert chosen.code == 1
        assert "6 attempts rejected" in chosen.err
        assert "no pieces could be kept: 2 copied more than 4 notes in every attempt" in chosen.err

    def test_invalid_limits(self, gen, composer):
        gen("--max-copy", "3").failed("invalid value for --max-copy: '3'", "use 4 or more", code=2)
        gen("--max-copy", "16").failed("melodies of the training data", "--max-copy")
        composer("gen", "text", "--max-copy", "16").failed("does not work with `text`", "--max-copy", code=2)

    def test_notes_of_the_primer_do_not_count(self, gen, with_melodies, tmp_path):
        (tmp_path / "whole.abc").write_text(gen("--seed", "5").out)
        opened = gen(
            "--prime", tmp_path / "whole.abc", "--checkpoint", with_melodies, "--max-copy", "12", "--seed", "1"
        )
        assert opened.code == 0, opened.err


class TestTemperature:
    def test_ramp_covers_the_length(self, gen):
        whole = gen("--seed", "3", "--length", "200", "--temp", "0..3")
        assert music(whole.data) == music(gen("--seed", "3", "--length", "200", "--temp", "0..3/200").data)
        assert music(whole.data) != music(gen("--seed", "3", "--length", "200", "--temp", "0..3/100").data)
        assert music(whole.data) != music(gen("--seed", "3", "--length", "200").data)

    def test_ramp_covers_the_mean_length_of_training_pieces(self, gen, checkpoint, tmp_path):
        path, options = tmp_path / "long.safetensors", ("--seed", "3", "--unconstrained")
        save(path, load(checkpoint).with_record(pieces={"train": 10}, counted={"train": 400}))
        usual = gen(*options, "--checkpoint", path, "--temp", "0..3")
        assert music(usual.data) == music(gen(*options, "--temp", "0..3/40").data)
        assert music(usual.data) != music(gen(*options, "--temp", "0..3").data), (
            "without a record the ramp covers the maximum length"
        )

    def test_level_ramp_is_a_number(self, gen):
        assert gen("--seed", "3", "--temp", "0.7..0.7").data == gen("--seed", "3", "--temp", "0.7").data

    def test_each_piece_is_the_same_alone(self, gen):
        many = gen("--seed", "3", "--count", "3", "--batch-size", "1", "--temp", "0.2..2")
        assert music(many.data).startswith(
            music(gen("--seed", "3", "--batch-size", "1", "--temp", "0.2..2").data).rstrip()
        )

    def test_ramp_with_frames(self, composer):
        options = ("gen", "pianoroll", "--seed", "1", "--length", "40", "--format", "midi", "--temp")
        assert composer(*options, "0.1..2").data != composer(*options, "0.1").data

    @pytest.mark.parametrize(
        "text", ["warm", "", "..", "0.5..", "..2", "1..-1", "1..2..3", "0..nan", "0..1/0", "0..1/", "1/5", "0..1e7"]
    )
    def test_invalid_temperatures(self, gen, text):
        gen("--temp", text).failed(
            f"invalid value for --temp: '{text}'", "0.6..1.2", "0.6..1.2/400 over 400 steps", code=2
        )
