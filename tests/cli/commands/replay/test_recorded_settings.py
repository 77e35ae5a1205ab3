"""Settings that `composer replay` finds in a file: damaged and invalid ones, and those of older versions."""

import io
import re
from dataclasses import replace
from types import SimpleNamespace

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replayed import OPENING, PRIMER, SAME, changed

from composer.api import StepKind
from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.checkpoints import file as checkpoint_file
from composer.checkpoints import store
from composer.cli.gen import recipe
from composer.cli.gen.replayed_work import WorkLimit, count_steps
from composer.formats import provenance
from composer.generation.request import GenerationRequest
from composer.system.paths import models_folder

NAMES = ("temperature", "top_k", "top_p", "tempo", "title", "meter", "key", "range", "x")

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=4,
)


class TestErrors:
    def test_no_provenance(self, gen, composer, replay, tunes):
        composer("replay", tunes).failed("no provenance in ", "--no-provenance")
        replay(gen("--no-provenance")).failed("no provenance in stdin")
        replay(b"").failed("no provenance")
        replay(bytes(range(256))).failed("no provenance")

    def test_missing_file(self, composer, tmp_path):
        composer("replay", tmp_path).failed("is a folder")
        composer("replay", tmp_path / "none.abc").failed("no such file or folder")
        composer("replay").failed("FILE", code=2)

    def test_large_numbers_are_refused(self, gen, replay):
        for facts, words in (
            ({"batch_size": 4096}, "a batch size of 4,096, more than 1,024"),
            ({"particles": 4096}, "--particles 4,096, more than 1,024"),
            ({"gibbs": 9999}, "--gibbs 9,999, more than 1,000"),
        ):
            replay(changed(gen(), **facts)).failed(f"stdin asks for {words}", "COMPOSER_LIMITS=")

    def test_more_steps_than_anybody_would_wait_for(self, gen, replay, monkeypatch):
        """They would take minutes, so nothing is generated, also if it takes several pieces to ask for them."""
        monkeypatch.setattr("composer.cli.gen.replay.generate_pieces", None)
        replay(changed(gen(), batch_size=64, length=100_000)).failed("stdin asks for up to 6,400,000 steps, more than")
        many, particles = {"batch_size": 64, "length": 20_000}, {"particles": 64, "length": 20_000}
        for facts in ({**many, "seed": 6}, {**particles, "batch_size": 1}):
            both = changed(gen(), **many) + changed(gen(), **facts)
            replay(both).failed("stdin asks for up to 2,560,000 steps", "COMPOSER_LIMITS=2")

    def test_large_batches_of_real_pieces_are_reproduced(self, gen, replay):
        """However small the file is."""
        data = gen("--batch-size", "300")
        result = replay(data)
        assert (result.data, result.err) == (data, f"stdin{SAME}")

    def test_frames_and_gibbs_steps_count_as_several_tokens(self):
        def count(kind, gibbs=None, particles=1):
            request = GenerationRequest(100, requested_batch_size=4, particles=particles)
            options = SimpleNamespace(gibbs=gibbs)
            return count_steps(SimpleNamespace(request=request, options=options, share=2, model=model(kind)))

        def model(kind):
            return SimpleNamespace(spec=SimpleNamespace(kind=kind))

        assert count(StepKind.TOKENS) == 400
        assert count(StepKind.TOKENS, particles=8) == 1600  # of each of two pieces
        assert count(StepKind.FRAMES) == count(StepKind.FRAMES, gibbs=5) == 3200
        assert count(StepKind.FRAMES, gibbs=1000) == 128_000

    def test_rejected_attempts_are_counted(self, gen, replay, monkeypatch):
        """With an impossible --max-copy, each piece is generated up to a hundred times."""
        data = gen()
        monkeypatch.setattr("composer.cli.gen.plan._accept", lambda *_: lambda steps: False)
        monkeypatch.setattr("composer.cli.gen.replayed_work.MAX_STEPS", 2000)
        monkeypatch.setattr("composer.cli.gen.replayed_work.MAX_ROWS", 0)
        replay(data).failed("stdin asks for up to ", "steps, more than 2,000", "COMPOSER_LIMITS=")

    def test_a_rejected_attempt_takes_its_share_of_idle_rows(self):
        """The last piece of a batch has all rows."""
        request = GenerationRequest(100, count=3, requested_batch_size=12)
        spec = SimpleNamespace(kind=StepKind.TOKENS)
        plan = SimpleNamespace(
            accept=lambda steps: len(steps) < 9, request=request, share=3, model=SimpleNamespace(spec=spec)
        )
        work = WorkLimit("tune.abc", 100)
        accept = work.counting_rejected(plan)
        assert accept is not None
        counted = []
        for length in (10, 5, 10, 5, 10):
            assert accept([1] * length) is (length == 5)
            counted.append(work.steps)
        assert counted == [40, 40, 100, 100, 220]

    def test_missing_model(self, gen, replay, checkpoint, tmp_path):
        data = gen()
        (models_folder() / "small.safetensors").rename(tmp_path / "moved.safetensors")
        done = replay(data)
        done.failed("the model that generated stdin is missing", "--checkpoint abc, or use --checkpoint FILE")
        assert "rules have changed since may give another piece, even with the same weights" in done.err
        with_bundled = replay(data, "--checkpoint", "abc")
        assert "model: recorded" in with_bundled.err
        assert "no model" not in with_bundled.err
        assert replay(data, "--checkpoint", tmp_path / "moved.safetensors").data == data
        replay(data, "--checkpoint", tmp_path / "none.safetensors").failed("none.safetensors")

    def test_missing_model_of_a_representation_without_a_bundled_one(self, gen, replay, tmp_path, monkeypatch):
        data = gen()
        (models_folder() / "small.safetensors").rename(tmp_path / "moved.safetensors")
        monkeypatch.setattr(store, "bundled", lambda representation: None)
        replay(data).failed("the model that generated stdin is missing", "use --checkpoint FILE to give the model")
        saved = checkpoint_file.load(tmp_path / "moved.safetensors", half=True)
        header = replace(saved.header, record={**saved.header.record, "finished": True})
        checkpoint_file.save(models_folder() / "my own.safetensors", replace(saved, header=header))
        replay(data).failed("the model that generated stdin is missing", "newest with --checkpoint 'my own'")

    @pytest.mark.parametrize(
        "facts",
        [
            {"seed": None}, {"seed": -1}, {"seed": "5"}, {"seed": True}, {"seed": 2**63}, {"batch_size": 0},
            {"batch_size": 10**9}, {"conditions": {"a": 1}}, {"labels": {"meter": None}},
            {"candidate": 0}, {"command_seed": "5"},
            {"number": 0}, {"length": 0}, {"length": 1.5}, {"model": 5}, {"format": "text"}, {"format": None},
            {"format": "foo"},
            {"sampling": {"temperature": 1.0, "heat": 2}}, {"sampling": {"top_p": "x"}}, {"sampling": {"top_k": -1}},
            {"sampling": []}, {"sampling": {"top_k": 1.5}}, {"conditions": []}, {"max_copy": 1}, {"labels": "x"},
            {"controls": 5}, {"plugins": "abc"}, {"choices": 5}, {"choices": [0]}, {"choices": ["1"]},
            {"choices": [True]}, {"choices": [{"steps": 5, "labels": {}}]}, {"choices": [{"steps": ""}]},
            {"choices": [1] * 1001},
        ],
    )  # fmt: skip
    def test_damaged_provenance(self, gen, replay, facts):
        replay(changed(gen(), **facts)).failed("damaged provenance in stdin")

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"sampling": {"temperature": "hot"}}, "invalid value for --temp: 'hot'"),
            ({"sampling": {"temperature": -1}}, "invalid value for --temp: '-1'"),
            ({"controls": {"bars": "eight"}}, "'eight'"),
            ({"writing": {"tempo": "fast"}}, "'fast'"),
            ({"writing": {"tempo": 1e9}}, "tempo"),
            ({"conditions": {"artist": "burns"}}, "has no condition 'artist'"),
            ({"primer": "AAAA"}, "the recorded primer"),
            ({"primer": "!"}, "the recorded primer"),
            ({"primer": recipe.pack_steps([1, 2, 10**6])}, "the recorded primer"),
            ({"primer": recipe.pack_steps([(1, 2)])}, "the recorded primer"),
            ({"primer": recipe.pack_steps([[[]]])}, "the recorded primer"),
            ({"tune": recipe.pack_steps({"a": 1})}, "the recorded primer"),
            ({"choices": [{"steps": "AAAA", "labels": {}}]}, "the recorded primer"),
            ({"representation": "abd"}, "abd"),
        ],
    )
    def test_invalid_values(self, gen, replay, facts, words):
        result = replay(changed(gen(), **facts))
        assert result.code in {1, 2}
        result.failed(words, code=result.code)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(fact=st.sampled_from(sorted(recipe.fact_types())), value=VALUES)
    def test_no_internal_errors(self, gen, replay, fact, value):
        assert "internal error" not in replay(changed(gen(), **{fact: value})).err


class TestRecipe:
    def test_recorded_options_are_restored(self, gen):
        data = gen(
            "--temp", "0.7..1.25", "--top-k", "9", "--top-p", "0.5", "--min-p", "0.25", "--unconstrained",
            "--batch-size", "3", "--candidates", "1", "--prime-text", PRIMER,
        )  # fmt: skip
        (found,) = provenance.read(data, "tune")
        recipe.check(found.facts, "tune")
        options = recipe.options_from(found.facts)
        assert (options.length, options.seed, options.batch_size, options.format) == (240, 5, 3, "abc")
        assert options.unconstrained
        assert options.sampling == SamplingParams(TemperatureRamp(0.7, 1.25), 9, 0.5, 0.25)
        assert options.controls == type(options.controls)()
        assert options.context.primer

    def test_defaults_are_not_recorded(self, gen):
        (found,) = provenance.read(gen(), "tune")
        assert found.facts["rules"] == 3
        assert not {"sampling", "controls", "unconstrained", "count", "output"} & found.facts.keys()

    def test_a_recipe_without_rules_is_one_by_the_first_rules(self, gen):
        (found,) = provenance.read(gen(), "tune")
        del found.facts["rules"]
        assert recipe.options_from(found.facts).context.rules == 1

    def test_a_file_with_an_old_recipe_is_reproduced(self, gen, replay):
        data = gen("--temp", "0.8", "--unconstrained", "--batch-size", "3", "--title", "Old")
        old = {"filters": {"temperature": 0.8, "top_k": 0, "top_p": 1.0, "min_p": 0.0}, "width": 3, "free": True}
        data = changed(data, sampling=None, batch_size=None, unconstrained=None, **old)
        result = replay(data)
        assert result.data == data
        assert result.err == f"stdin{SAME}"

    @pytest.mark.parametrize("options", [(), ("--tempo", "90"), ("--meter", "4/4"), ("--meter", "3/4")])
    def test_midi_of_versions_without_default_tempo_and_meter(self, composer, replay, options):
        once = ("--ending-tries", "1")  # without a pickup
        data = composer("gen", "grid", "--seed", "3", "--bars", "4", "--format", "midi", *once, *options).data
        track = 8 + int.from_bytes(data[18:22], "big")
        conductor, rest = data[22 : 14 + track], data[14 + track :]
        if "--tempo" not in options:
            conductor = conductor.replace(b"\x00\xff\x51\x03\x07\xa1\x20", b"", 1)
        if "--meter" not in options:
            conductor = conductor.replace(b"\x00\xff\x58\x04\x04\x02\x18\x08", b"", 1)
        old = data[:18] + len(conductor).to_bytes(4, "big") + conductor + rest
        assert old != data
        result = replay(old)
        assert result.data == old
        assert result.err == f"stdin{SAME}"

    def test_midi_of_versions_that_called_a_voice_by_its_number(self, gen, replay):
        file = mido.MidiFile(file=io.BytesIO(gen("--format", "midi")))
        file.tracks[1].insert(0, mido.MetaMessage("track_name", name="1"))
        file.save(file=(old := io.BytesIO()))
        result = replay(old.getvalue())
        assert (result.data, result.err) == (old.getvalue(), f"stdin{SAME}")

    @pytest.mark.parametrize("form", ["abc", "midi"])
    def test_files_with_the_record_where_older_versions_put_it(self, gen, replay, form):
        music, (recorded,) = gen("--format", form, "--no-provenance"), provenance.read(gen("--format", form), "")
        (old,) = provenance.older_marks(form, music, recorded)
        assert old != gen("--format", form)
        result = replay(old)
        assert (result.data, result.err) == (old, f"stdin{SAME}")
        changed_note = bytearray(old)
        changed_note[-9] ^= 1
        assert "was not reproduced" in (said := replay(bytes(changed_note)).err)
        assert "composer" not in said

    def test_old_and_new_tunes_in_a_file(self, gen, replay):
        (recorded,) = provenance.read(gen(), "")
        (old,) = provenance.older_marks("abc", gen("--no-provenance"), recorded)
        assert replay(old + gen() + old).err == f"stdin{SAME}"

    def test_an_edited_record(self, gen, replay):
        data = gen().replace(b'"seed":5', b'"seed":6')
        replay(data).failed("the settings recorded for `composer ", "in stdin are missing, edited or from another tune")

    def test_no_paths_are_recorded(self, gen, tmp_path):
        (tmp_path / "opening.abc").write_text(OPENING)
        text = provenance.read(gen("--prime", tmp_path / "opening.abc"), "")[0].text
        assert str(tmp_path) not in text
        assert "opening.abc" not in text
        assert "/" not in text.replace(recipe_primer(text), "")


def recipe_primer(text):
    return re.search(r'"primer":"([^"]*)"', text)[1]
