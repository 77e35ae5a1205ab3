"""`composer harmonize`: voices below a melody, or chord symbols over it."""

from fractions import Fraction

import pytest

from composer import formats
from composer.api import Key, Meter, Note, Part, Score
from composer.formats.abc.reader.score import read_score

TUNE = "X:1\nT:Given\nM:4/4\nL:1/4\nK:G\nG2 A B|A G F D|\n"


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    return path


def skyline(score):
    """Return the highest note at each onset of the tune."""
    onsets = {note.onset for note in read_score(TUNE).notes}
    top = {onset: max(n.pitch for n in score.notes if n.onset <= onset < n.end) for onset in onsets}
    return [top[onset] for onset in sorted(top)]


class TestChorale:
    def test_the_melody_stays_on_top(self, composer, tune, tmp_path):
        options = ("--seed", "3", "--voices", "3", "--particles", "4", "--output", tmp_path / "out.abc")
        result = composer("harmonize", tune, *options)
        assert result.code == 0, result.err
        score = read_score((tmp_path / "out.abc").read_text())
        melody = read_score(TUNE).notes
        assert {(n.onset, n.pitch, n.duration) for n in melody} <= {(n.onset, n.pitch, n.duration) for n in score.notes}
        assert skyline(score) == [note.pitch for note in melody]
        for onset in {note.onset for note in score.notes}:
            assert sum(note.onset <= onset < note.end for note in score.notes) == 3

    def test_is_reproduced_without_the_tune(self, composer, tune):
        """By default it has 64 particles."""
        tune.write_text(TUNE.replace("|A G F D|", "|"))
        data = composer("harmonize", tune, "--seed", "5", "--format", "musicxml").data
        tune.unlink()
        assert composer("replay", "-", stdin=data).data == data

    def test_is_what_gen_does_with_keep_voices(self, composer, tune):
        harmonized = composer("harmonize", tune, "--seed", "5", "--particles", "2", "--format", "abc").data
        options = ("--keep-voices", "top", "--voice-leading", "--max-notes", "4", "--min-notes", "4")
        options = (*options, "--particles", "2", "--format", "abc")
        assert composer("gen", "pianoroll", "--prime", tune, "--seed", "5", *options).data == harmonized

    def test_title_and_tempo_are_those_of_the_tune(self, composer, tune):
        tune.write_text(TUNE.replace("L:1/4", "L:1/4\nQ:1/4=80").replace("|A G", "|[Q:1/4=60]A G"))
        result = composer("harmonize", tune, "--seed", "5", "--particles", "2", "--format", "abc")
        assert "\nT:Given\n" in result.out
        assert "\nQ:1/4=80\n" in result.out
        assert f"{tune}: 1 tempo left out" in result.err
        assert composer("replay", "-", stdin=result.data).data == result.data

    def test_voices_below_the_melody_are_left_out_aloud(self, composer, tune):
        options = ("--seed", "5", "--particles", "2", "--format", "abc")
        assert "top voice" not in composer("harmonize", tune, *options).err
        tune.write_text(TUNE.replace("G2 A B", "[G2D2B,2] A B"))
        assert "harmonizing the top voice; 2 other voices left out\n" in composer("harmonize", tune, *options).err

    @pytest.mark.parametrize(
        ("octaves", "voices", "warning"),
        [
            (0, 4, ""),
            (
                -1,
                4,
                "goes down to D3, and 3 other voices have little room below it: transpose it up, use --voices 2",
            ),
            (-1, 2, ""),
            (
                -2,
                2,
                "goes down to D2, and 1 other voice has little room below it: transpose it up, or make it",
            ),
        ],
    )
    def test_a_low_melody_is_a_warning(self, composer, tune, octaves, voices, warning):
        tune.write_text(TUNE.replace("K:G", f"K:G octave={octaves}"))
        options = ("--seed", "5", "--particles", "1", "--format", "abc", "--voices", voices)
        said = composer("harmonize", tune, *options, "--quiet").err
        assert said.count("warning:") == bool(warning)
        assert warning in said
        assert said.count(f"`composer gen pianoroll --prime {tune} --keep-voices bass`") == bool(warning)

    def test_rests_of_the_melody_stay_and_the_other_voices_go_on(self, composer, tune):
        tune.write_text(TUNE.replace("G2 A B|A G", "z G A z|A z"))
        result = composer("harmonize", tune, "--seed", "5", "--particles", "2", "--format", "abc")
        score = read_score(result.out)
        melody = read_score(tune.read_text()).notes
        assert [(n.onset, n.pitch, n.duration) for n in score.parts[0].notes] == [
            (n.onset, n.pitch, n.duration) for n in melody
        ]
        for onset in range(8):
            sounding = sum(note.onset <= onset < note.end for note in score.notes)
            assert sounding == (4 if any(n.onset <= onset < n.end for n in melody) else 3)
        assert composer("replay", "-", stdin=result.data).data == result.data

    def test_changes_of_meter_are_said_and_the_first_meter_stays(self, composer, tune):
        tune.write_text(TUNE.replace("M:4/4", "M:3/4").replace("G2 A B|A G", "G2 A|[M:2/4] A G|[M:3/4] A2 G|A G"))
        result = composer("harmonize", tune, "--seed", "5", "--particles", "2", "--format", "abc")
        assert f"{tune}: 2 meter changes left out\n" in result.err
        assert "\nM:3/4\n" in result.out
        assert composer("replay", "-", stdin=result.data).data == result.data

    def test_no_melody(self, composer, tmp_path):
        path = tmp_path / "rests.abc"
        path.write_text("X:1\nM:4/4\nL:1/4\nK:G\nz4|z4|]\n")
        composer("harmonize", path).failed("rests.abc", "can represent: no notes (line 1)")

    @pytest.mark.parametrize(
        ("notes", "words"),
        [
            ("c'''''d'''''", "no notes in the range of MIDI (line 1: C10 to D10; MIDI has C-1 to G9)"),
            ("C,,,,D,,,,", "no notes in the range (C0 to D0; the range is A0 to C8)"),
        ],
    )
    def test_no_note_in_range_names_notes_and_range(self, composer, tmp_path, notes, words):
        path = tmp_path / "tune.abc"
        path.write_text(f"X:1\nM:4/4\nL:1/4\nK:C\n{notes}|{notes}|\n")
        for arguments in (
            ("harmonize", path), ("gen", "pianoroll", "--prime", path), ("gen", "pianoroll", "--prime", path,
            "--keep-voices", "top"),
        ):  # fmt: skip
            composer(*arguments).failed(words, "hint: transpose it\n")

    def test_temperature_as_in_gen(self, composer, tune, tmp_path):
        for value in ("inf", "0.6..1.2"):
            written = tmp_path / "tune.mid"
            options = ("--temp", value, "--particles", "2", "--seed", "1", "--output", written, "--force")
            assert composer("harmonize", tune, *options).code == 0
            assert "reproduced exactly" in composer("replay", written).err
        composer("harmonize", tune, "--temp", "hot").failed("--temp: 'hot'", "inf is uniform", code=2)

    def test_melody_out_of_range(self, composer, tmp_path):
        path = tmp_path / "high.mid"
        notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate([72, 120, 121]))
        path.write_bytes(formats.write("midi", Score((Part(notes),))))
        lines = composer("harmonize", path).err.splitlines()
        assert lines[0] == "error: 2 notes of the tune cannot be kept: the model's range is A0 to C8"


class TestChords:
    def test_symbols_are_written_into_the_text(self, composer, tune):
        expected = TUNE.replace("G2 A B|A", '"G"G2 "D"A B|"D"A')
        assert composer("harmonize", tune, "--style", "chords").out == expected

    def test_stdin_and_other_formats(self, composer, tune, tmp_path):
        result = composer("harmonize", "-", "--style", "chords", "-o", tmp_path / "out.mid", stdin=TUNE.encode())
        assert result.err == f"wrote {tmp_path / 'out.mid'}\n"
        again = composer("harmonize", tmp_path / "out.mid", "--style", "chords").out
        assert [chord.symbol for chord in read_score(again).chords] == ["G", "D", "D"]

    def test_title_composers_and_tempo_of_other_formats_stay(self, composer):
        score = read_score("X:1\nT:Old\nC:Bach, J. S.\nM:4/4\nL:1/4\nQ:3/8=70\nK:G\nGABc|[Q:1/4=90]d2B2|\n")
        result = composer("harmonize", "-", "--style", "chords", stdin=formats.write("musicxml", score))
        header, _, _ = result.out.partition("K:")
        assert header == "X:1\nT:Old\nC:Bach, J. S.\nM:4/4\nL:1/8\nQ:3/8=70\n"
        assert result.err == "stdin: 1 tempo left out\n"

    def test_the_instrument_of_other_formats_stays(self, composer):
        score = read_score("X:1\nM:4/4\nL:1/4\nK:G\n%%MIDI program 73\nGABc|d2B2|\n")
        for form in ("midi", "musicxml"):
            result = composer("harmonize", "-", "--style", "chords", stdin=formats.write(form, score))
            assert result.out.count("\n%%MIDI program 73\n") == 1
            assert [part.program for part in read_score(result.out).parts] == [73]

    @pytest.mark.parametrize("form", ["midi", "musicxml"])
    @pytest.mark.parametrize(
        "music",
        ["CDEF|GABc|[M:3/4]cBA|GFE|C3|z3|", "M:11/8\nC3DEFGABcde|C3DEFGABc3|", "D|CDEF|[M:3/4][Ec]BA|[K:G]GFE|C3|"],
    )
    def test_changes_of_meter_of_other_formats_stay(self, composer, form, music):
        score = read_score(f"X:1\nT:Old\nC:Ann\nM:4/4\nL:1/4\nQ:1/4=90\nK:C\n{music}\n")
        result = composer("harmonize", "-", "--style", "chords", stdin=formats.write(form, score))
        again = read_score(result.out)
        assert again.chords
        assert again.notes == score.notes
        assert (again.meters, again.pickup, again.keys) == (score.meters, score.pickup, score.keys)
        assert (again.title, again.tempos) == (score.title, score.tempos)
        assert not result.err

    @pytest.mark.parametrize("form", ["midi", "musicxml"])
    @pytest.mark.parametrize(
        ("music", "last"),
        [
            ("CDEF|GABc|c4|[K:A]ABcd|e2 c2|A4|", "A"),
            ("D|CDEF|[K:G][GB]ABc|[K:F](3FGAB2|[Q:1/4=60]F4|", "F"),
        ],
    )
    def test_changes_of_key_of_other_formats_stay(self, composer, form, music, last):
        score = read_score(f"X:1\nT:Old\nM:4/4\nL:1/4\nQ:1/4=90\nK:C\n{music}\n")
        result = composer("harmonize", "-", "--style", "chords", stdin=formats.write(form, score))
        again = read_score(result.out)
        assert again.chords[-1].symbol == last
        assert (again.notes, again.keys, again.pickup) == (score.notes, score.keys, score.pickup)
        assert (again.meters, again.title, again.tempos) == (score.meters, score.title, score.tempos)
        assert not result.err

    def test_times_of_a_performance_with_a_change_of_key_are_rounded(self, composer):
        starts = [Fraction(0), Fraction(31, 32), Fraction(65, 32), Fraction(19, 6), Fraction(4), Fraction(21, 4)]
        notes = tuple(Note(start, 69 + at, Fraction(11, 12)) for at, start in enumerate(starts))
        keys = (Key(Fraction(0), 0), Key(Fraction(4), 3))
        score = Score((Part(notes),), meters=(Meter(Fraction(0), 4, 4),), keys=keys)
        result = composer("harmonize", "-", "--style", "chords", stdin=formats.write("midi", score))
        assert result.code == 0, result.err
        assert read_score(result.out).keys == keys
        assert "moved to the grid" in result.err
        assert "key" not in result.err

    def test_all_tunes_and_the_text_between_stay(self, composer, tmp_path):
        path = tmp_path / "two.abc"
        path.write_text("% mine\nR:reel\n\n" + TUNE + "\nsome words\n\n" + TUNE.replace("X:1", "X:2"))
        written = composer("harmonize", path, "--style", "chords").out
        assert written.replace('"G"', "").replace('"D"', "") == path.read_text()
        assert written.count('"G"') == 2

    def test_older_symbols_are_replaced(self, composer, tmp_path):
        path = tmp_path / "chords.abc"
        path.write_text(TUNE.replace("G2", '"Em"G2'))
        result = composer("harmonize", path, "--style", "chords")
        assert '"G"G2' in result.out
        assert result.err == f"{path}: replaced 1 chord symbol\n"

    def test_unknown_symbols_are_replaced_too(self, composer, tmp_path):
        path = tmp_path / "unknown.abc"
        path.write_text('X:1\nM:4/4\nL:1/4\nK:F\n"F6/9"A4|"H7""^up"B4|"N.C."c4|"Fine"F4|\n')
        result = composer("harmonize", path, "--style", "chords")
        assert result.out.count('"F"A4') == 1
        assert not any(old in result.out for old in ("F6/9", "H7", "N.C."))
        assert '"^up"' in result.out
        assert '"Fine"' in result.out
        assert result.err == f"{path}: replaced 3 chord symbols\n"

    def test_a_tune_without_a_full_bar_is_refused_at_once(self, composer, tmp_path):
        path = tmp_path / "short.abc"
        path.write_text('X:1\nM:4/4\nL:1/8\nK:G\n"Em"G2|\n')
        said = composer("harmonize", path, "--style", "chords", "-o", tmp_path / "out.abc")
        said.failed(f"{path} is too short for chords")
        assert said.err.count("\n") == 2, "the error and its hint"
        assert not (tmp_path / "out.abc").exists()

    @pytest.mark.parametrize(("music", "sign", "column"), [('GABc "G GABc|', '"', 6), ("GABc {ga GABc|", "{", 6)])
    def test_an_unclosed_sign_is_refused(self, composer, tmp_path, music, sign, column):
        path = tmp_path / "unclosed.abc"
        path.write_text(f"X:1\nM:4/4\nL:1/4\nK:G\nw:not {{this\n{music}\n")
        said = composer("harmonize", path, "--style", "chords", "-o", tmp_path / "out.abc")
        said.failed(f"into {path}: unclosed `{sign}` at line 6, column {column}", f"composer check {path}")
        assert not (tmp_path / "out.abc").exists()

    def test_guesses_are_said(self, composer, tmp_path):
        path = tmp_path / "guessed.abc"
        path.write_text(TUNE + "\n" + TUNE.replace("X:1", "X:2").replace("K:G", "K:Hmaj"))
        said = composer("harmonize", path, "--style", "chords").err
        place = f"{path}: tune 2, line 12, column 1"
        assert said == f"warning: 1 unknown key left out, in {place}; for details: composer check {path}\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--voices", "1"), ("invalid value for --voices: '1'", "from 2 to 8")),
        (("--style", "jazz"), ("invalid value for --style: 'jazz'", "chorale, chords")),
        (("--style", "chords", "--temp", "1"), ("--temp has no effect with --style chords", "leave out --temp")),
        (("--style", "chords", "--format", "mp3"), ("unknown format 'mp3'", "choose from abc, midi, musicxml, wav\n")),
        (("--style", "chords", "-o", "out.xyz"), ("cannot write the suffix '.xyz'", "--output out.abc")),
        (("--particles", "0"), ("invalid value for --particles: '0'",)),
    ],
)
def test_usage_errors(composer, tune, options, words):
    composer("harmonize", tune, *options).failed(*words, code=2)


PITCHES = 60, 64, 67, 64, 67, 65, 66, 69


def test_changes_of_key_within_bars_are_counted(composer):
    notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate([60, 64, 67, 64, 67, 65, 66, 69]))
    for onset, said in ((6, True), (4, False)):
        keys = (Key(Fraction(0), 0), Key(Fraction(onset), 2))
        score = Score((Part(notes),), meters=(Meter(Fraction(0), 4, 4),), keys=keys)
        result = composer("harmonize", "-", "--style", "chords", stdin=formats.write("midi", score))
        assert ("1 change of key within bars" in result.err) is said
        assert ("[K:D]" in result.out) is not said
