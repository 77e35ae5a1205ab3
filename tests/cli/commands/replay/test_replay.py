"""`composer replay`: the same bytes in every format and with all options, or what differs."""

import re

import pytest
from replayed import OPENING, PRIMER, SAME, changed

from composer.checkpoints.file import load, save
from composer.cli.render.file_diff import difference
from composer.formats import FORMATS, provenance


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

    @pytest.mark.parametrize("form", ["abc", "midi", "musicxml"])
    def test_write_settings(self, gen, replay, form):
        velocity = ("--velocity", "70") if form == "midi" else ()
        data = gen("--format", form, "--tempo", "90.5", "--instrument", "40", *velocity)
        assert replay(data).data == data

    def test_a_velocity_that_the_format_does_not_hold(self, gen, replay, monkeypatch):
        """Earlier versions recorded it."""
        with monkeypatch.context() as earlier:
            earlier.setitem(FORMATS, "abc", FORMATS["abc"]._replace(leaves_out=()))
            data = gen("--format", "abc", "--velocity", "70")
        again = replay(data)
        assert again.data == data
        assert "--velocity" not in again.err

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

    def test_one_file_of_a_large_batch(self, composer, tmp_path):
        options = ("--bars", "1", "--candidates", "1", "--count", "14", "--batch-size", "300")
        assert composer("gen", "grid", "--seed", "5", *options, "-o", tmp_path / "%02d.mid").code == 0
        assert composer("replay", tmp_path / "12.mid", "--check").code == 0

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
        result.failed("stdin is ABC notation, so the output cannot be", "use --output again.abc", code=2)
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
