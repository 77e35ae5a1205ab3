"""`composer replay`: the same bytes in every format and with all options, or what differs."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from composer.api.sampling.params import SamplingParams, TemperatureRamp
from composer.checkpoints.file import load, save
from composer.cli.gen import recipe
from composer.cli.render.file_diff import difference
from composer.formats import provenance
from composer.formats.abc.provenance import is_provenance
from composer.formats.provenance import Provenance
from composer.system.paths import models_folder

SAME = ": reproduced exactly\n"

NAMES = ("temperature", "top_k", "top_p", "tempo", "title", "meter", "key", "range", "x")

OPENING = """X:1
M:4/4
L:1/8
K:C
CDEF GABc|dcBA GFED|C8|
"""

PRIMER = "M:6/8\nL:1/8\nK:D\n|:ABA F"

VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def generated():
    """What `gen` returned, by its arguments: the same arguments give the same music."""
    return {}


@pytest.fixture
def gen(composer, checkpoint, generated):
    """Run `composer gen abc` with the small model, where `replay` finds it, or return what it returned before."""
    models_folder().mkdir(parents=True, exist_ok=True)
    (models_folder() / "small.safetensors").write_bytes(checkpoint.read_bytes())

    def run(*arguments):
        if arguments not in generated:
            result = composer("gen", "abc", "--checkpoint", "small", "--seed", "5", "--length", "400", "-q", *arguments)
            assert result.code == 0, result.err
            generated[arguments] = result.data
        return generated[arguments]

    return run


@pytest.fixture
def replay(composer):
    return lambda data, *arguments, **settings: composer("replay", "-", *arguments, stdin=data, **settings)


def changed(data, **facts):
    """Return the ABC of one tune with changed provenance; None removes a fact."""
    (recorded,) = provenance.read(data, "tune")
    kept = {name: value for name, value in {**recorded.facts, **facts}.items() if value is not None}
    music = b"".join(line for line in data.splitlines(keepends=True) if not is_provenance(line.decode()))
    return provenance.mark("abc", music, Provenance(facts.get("program", recorded.program), kept))


class TestReproduced:
    @pytest.mark.parametrize(
        "options",
        [
            (),
            ("--temp", "0.6300001..1.2", "--top-k", "20"),
            ("--temp", "0.5..1.5/40", "--top-p", "0.9", "--min-p", "0.01"),
            ("--unconstrained",),
            ("--batch-size", "7"),
            ("--candidates", "4", "--keep", "1", "--batch-size", "3"),
            ("--prime-text", PRIMER),
        ],
    )
    def test_one_piece(self, gen, replay, options):
        data = gen(*options)
        again = replay(data)
        assert again.data == data
        assert again.err.endswith(SAME)

    @pytest.mark.parametrize("form", ["midi", "musicxml"])
    @pytest.mark.parametrize(
        "options", [(), ("--temp", "0.6300001..1.2", "--candidates", "4", "--keep", "1"), ("--prime-text", PRIMER)]
    )
    def test_other_formats(self, gen, replay, form, options):
        data = gen("--format", form, *options)
        assert replay(data).data == data

    @pytest.mark.parametrize("form", ["midi", "musicxml"])
    def test_write_settings(self, gen, replay, form):
        data = gen("--format", form, "--tempo", "90.5", "--instrument", "40", "--velocity", "70")
        assert replay(data).data == data

    def test_primer_from_a_file(self, gen, replay, tmp_path):
        (tmp_path / "opening.abc").write_text(OPENING)
        data = gen("--prime", tmp_path / "opening.abc")
        (tmp_path / "opening.abc").unlink()
        assert replay(data).data == data

    @pytest.mark.parametrize("options", [(), ("--batch-size", "3"), ("--prime-text", PRIMER)])
    def test_many_in_a_file(self, gen, replay, options):
        data = gen("--count", "7", *options)
        assert replay(data).data == data

    def test_single_pieces_of_many(self, gen, replay):
        """Other pieces do not matter, since the batch size is recorded."""
        tunes = re.split(rb"(?=^X:)", gen("--count", "6", "--batch-size", "4"), flags=re.MULTILINE)[1:]
        for tune in (tunes[4], tunes[1] + tunes[3], tunes[5] + tunes[2], tunes[2] + tunes[2]):
            assert replay(tune).data == tune

    def test_best_candidates(self, gen, replay):
        data = gen("--candidates", "6", "--keep", "3")
        assert replay(data).data == data

    def test_numbered_file(self, gen, composer, tmp_path):
        gen("--count", "4", "--output", tmp_path / "%d.abc")
        assert composer("replay", tmp_path / "3.abc").data == (tmp_path / "3.abc").read_bytes()

    @pytest.mark.parametrize("rep", ["grid", "pianoroll"])
    @pytest.mark.parametrize("form", ["abc", "midi", "musicxml"])
    def test_controls(self, composer, replay, rep, form):
        controls = ("--bars", "4", "--meter", "3/4", "--key", "G", "--scale", "major", "--range", "C3-C6")
        data = composer("gen", rep, "--seed", "3", "--format", form, *controls).data
        assert replay(data).data == data

    def test_infill(self, composer, replay, tmp_path):
        (tmp_path / "tune.abc").write_text(OPENING)
        result = composer("gen", "grid", "--prime", tmp_path / "tune.abc", "--keep-bars", "1", "--seed", "2")
        assert result.code == 0, result.err
        (tmp_path / "tune.abc").unlink()
        assert replay(result.data).data == result.data


class TestOutput:
    def test_to_a_file(self, gen, replay, tmp_path):
        data = gen()
        result = replay(data, "--output", tmp_path / "again.abc")
        assert (tmp_path / "again.abc").read_bytes() == data
        assert not result.data
        replay(data, "--output", tmp_path / "again.abc").failed("already exists", "--force")
        assert replay(data, "--output", tmp_path / "again.abc", "--force").code == 0

    def test_suffix_of_another_format(self, gen, replay, tmp_path):
        result = replay(gen(), "--output", tmp_path / "again.mid")
        result.failed("stdin holds `abc`, so the output cannot be", "use --output again.abc", code=2)
        assert not (tmp_path / "again.mid").exists()
        assert replay(gen(), "--output", tmp_path / "again").code == 0

    def test_to_a_new_folder(self, gen, replay, tmp_path):
        output = tmp_path / "new" / "again.abc"
        assert f"wrote {output} (created {tmp_path / 'new'})\n" in replay(gen(), "--output", output).err

    def test_check_only(self, gen, replay):
        result = replay(gen(), "--check")
        assert (result.code, result.data) == (0, b"")
        assert result.err == f"stdin{SAME}"
        assert replay(gen(), "--check", "--quiet").err == ""
        replay(gen(), "--check", "-o", "x.abc").failed("--check and --output", code=2)

    def test_no_binary_on_a_terminal(self, gen, replay):
        assert not replay(gen("--format", "midi"), terminal=True).data
        assert replay(gen(), terminal=True).data == gen()


class TestDifferences:
    def test_changed_line(self, gen, replay):
        data = gen().replace(b"K:", b"K: ", 1)
        result = replay(data)
        assert result.code == 1
        assert result.data == gen()
        assert re.search(r"error: stdin was not reproduced: line \d is `K: .*`, not `K:", result.err)

    def test_changed_line_and_other_libraries(self, gen, replay):
        """The difference shown is in the music, not in the provenance."""
        data = changed(gen(), numpy="1.0").replace(b"K:", b"K: ", 1)
        result = replay(data, "--check")
        assert "numpy: recorded 1.0, now " in result.err
        assert re.search(r"line \d is `K: .*`, not `K:\S*`$", result.err, re.MULTILINE)

    def test_long_lines_are_shortened(self):
        data = [b"X:1\n" + b"a" * 200 + note + b"b" * 200 + b"\n" for note in (b"C", b"D")]
        (before, after) = re.findall(r"\.\.\.`(\w+)`\.\.\.", difference(*data, "abc"))
        assert (before, after) == (f"{'a' * 20}C{'b' * 39}", f"{'a' * 20}D{'b' * 39}")

    def test_different_endings(self, gen, replay):
        assert "it continues after line" in replay(gen() + b"X:9\nK:C\nC|\n").err
        assert "it ends after line" in replay(gen().rstrip()).err
        assert "only the line endings differ" in replay(gen().replace(b"\n", b"\r\n")).err

    def test_changed_byte(self, gen, replay):
        data = bytearray(gen("--format", "midi"))
        data[-9] ^= 1
        result = replay(bytes(data))
        assert result.code == 1
        assert f"first difference at byte {len(data) - 8:,} of" in result.err

    def test_other_format(self, gen, replay):
        recorded = provenance.read(gen(), "tune")[0]
        data = provenance.mark("midi", gen("--format", "midi", "--no-provenance"), recorded)
        assert "it is MIDI, and was composed as abc" in replay(data).err

    @pytest.mark.parametrize(
        ("command", "suffix"),
        [(("convert",), ".abc"), (("convert",), ".mid"), (("harmonize", "--style", "chords"), ".abc")],
    )
    def test_changed_by_another_command(self, gen, composer, tmp_path, command, suffix):
        """The error names the command, and the original comes back."""
        path, original = tmp_path / f"changed{suffix}", tmp_path / "original.abc"
        assert composer(*command, "-", "-o", path, stdin=gen()).code == 0
        said = composer("replay", path, "--check")
        said.failed(f"was changed by `composer {command[0]}` after it was generated", "-o original.abc")
        composer("replay", path, "-o", original)
        assert original.read_bytes() == gen()

    def test_changed_seed(self, gen, replay):
        assert replay(changed(gen(), seed=6)).code == 1

    @pytest.mark.parametrize(
        ("facts", "words"),
        [
            ({"numpy": "1.0"}, "numpy: recorded 1.0, now "),
            ({"device": "abacus"}, "device: recorded abacus, now cpu"),
            ({"plugins": {"abc": "mine 2"}}, "plugin abc: recorded mine 2, now composer-cli"),
            ({"mood": "glad"}, "unknown fact `mood`"),
            ({"program": "0.0.1"}, "composer: recorded 0.0.1, now "),
        ],
    )
    def test_changes_are_listed(self, gen, replay, facts, words):
        """The same music keeps its provenance."""
        data = changed(gen(), **facts)
        result = replay(data)
        assert words in result.err
        assert result.err.endswith(SAME)
        assert result.data == data

    def test_changed_music_gets_new_provenance(self, gen, replay):
        data = changed(gen(), numpy="1.0")
        (before,), (after,) = (provenance.read(each, "") for each in (data, replay(data + b"\n").data))
        assert before.facts["numpy"] == "1.0"
        assert after == provenance.read(gen(), "")[0]

    def test_another_model(self, gen, replay, tmp_path, checkpoint):
        data, other = gen(), tmp_path / "other.safetensors"
        save(other, load(checkpoint).with_record(comment="other"))
        result = replay(data, "--checkpoint", other)
        assert re.search(r"model: recorded \w{12}, now \w{12}", result.err)
        assert result.data == data


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

    def test_missing_model(self, gen, replay, checkpoint, tmp_path):
        data = gen()
        (models_folder() / "small.safetensors").rename(tmp_path / "moved.safetensors")
        replay(data).failed("the model that generated stdin is missing", "--checkpoint")
        assert replay(data, "--checkpoint", tmp_path / "moved.safetensors").data == data
        replay(data, "--checkpoint", tmp_path / "none.safetensors").failed("none.safetensors")

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
        assert (options.length, options.seed, options.batch_size, options.format) == (400, 5, 3, "abc")
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
        data = composer("gen", "grid", "--seed", "3", "--bars", "4", "--format", "midi", *options).data
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
