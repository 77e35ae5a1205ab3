"""`composer convert`: all formats into each other, into files, folders and pipes, and what is lost on the way."""

import io
import json
import zipfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from musicxml_text import bar, notes, xml_score

from composer import formats
from composer.api import Key, Meter, Note, Part, Score, Source, Tempo
from composer.formats import provenance
from composer.formats.read import read_playable
from composer.system.paths import cache_folder

FORMATS = ("abc", "midi", "musicxml")

TUNE = """X:1
T:Frère Jacques -- 50 % faster
M:4/4
L:1/4
Q:1/4=90
K:G
GABG|GABG|[Q:1/4=120]Bcd2|Bcd2|[M:3/4][K:D]d/e/d/c/B/G/|G3|]
"""

RECIPE = 'composer 0.1.0 {"representation":"abc","seed":5,"format":"abc","model":"none"}'


@pytest.fixture
def convert(composer):
    """Run `composer convert` with text or bytes on stdin, and expect that it succeeds."""

    def run(*arguments, stdin=b"", **settings):
        data = stdin.encode() if isinstance(stdin, str) else stdin
        result = composer("convert", *arguments, stdin=data, **settings)
        assert result.code == 0, result.err
        return result

    return run


def score_in(data):
    """Return the score in a file with one piece."""
    (score,) = read_playable(Source(Path("file"), data=data))
    return score


def sounds(score):
    """Return the notes of each part, without velocities, those of the first part first."""
    return [[note[:3] for note in part.notes] for part in score.parts]


def rounded_tempos(score):
    """Return the tempos of a score that change something."""
    tempos = [(tempo.onset, round(tempo.bpm, 2)) for tempo in score.tempos]
    return [tempo for before, tempo in pairwise([(None, None), *tempos]) if tempo[1] != before[1]]


class TestRoundTrips:
    @pytest.mark.parametrize("by", FORMATS)
    def test_everything_is_kept(self, convert, by):
        there = convert("-", "--to", by, stdin=TUNE)
        back = convert("-", "--to", "abc", stdin=there.data)
        before, after = score_in(TUNE.encode()), score_in(back.data)
        assert sounds(after) == sounds(before)
        assert (after.meters, after.keys, after.title) == (before.meters, before.keys, before.title)
        assert rounded_tempos(after) == rounded_tempos(before) == [(0, 90), (8, 120)]
        assert there.err == back.err == ""

    @pytest.mark.parametrize("by", FORMATS)
    def test_instruments_and_drums_are_kept(self, convert, by):
        notes = tuple(Note(Fraction(at), 38 + at, Fraction(1)) for at in range(8))
        parts = (Part(notes, program=73), Part(notes, program=32), Part(notes, percussion=True))
        back = convert(
            "-", "--to", "midi", stdin=convert("-", "--to", by, stdin=formats.write("midi", Score(parts))).data
        )
        assert [(part.program, part.percussion) for part in score_in(back.data).parts] == [
            (73, False), (32, False), (0, True),
        ]  # fmt: skip

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.integers(48, 84), st.sampled_from([1, 2, 3, 4, 6, 8])), min_size=1, max_size=20),
        st.sampled_from([(2, 4), (3, 4), (4, 4), (5, 8), (6, 8), (9, 8)]),
        st.integers(-5, 5),
        st.lists(st.tuples(st.integers(1, 30), st.integers(30, 240)), max_size=3, unique_by=lambda tempo: tempo[0]),
        st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=9),
    )
    def test_through_midi(self, convert, melody, meter, sharps, tempos, title):
        notes, now = [], Fraction(0)
        for pitch, quarters in melody:
            notes.append(Note(now, pitch, Fraction(quarters, 4)))
            now += notes[-1].duration
        changes = [Tempo(Fraction(at, 2), bpm) for at, bpm in sorted(tempos) if at < 2 * now]
        before = Score(
            (Part(tuple(notes)),),
            tempos=(Tempo(Fraction(0), 100.0), *changes),
            meters=(Meter(Fraction(0), *meter),),
            keys=(Key(Fraction(0), sharps),),
            title=title,
        )  # fmt: skip
        midi = convert("-", "--to", "midi", stdin=formats.write("abc", before)).data
        after = score_in(convert("-", "--to", "abc", stdin=midi).data)
        assert sounds(after) == sounds(before)
        assert (after.meters, after.keys, after.title) == (before.meters, before.keys, before.title)
        assert rounded_tempos(after) == rounded_tempos(before)

    def test_tokens(self, convert):
        tokens = convert("-", "--to", "tokens", stdin=TUNE)
        assert tokens.out.startswith("67 _ _ _ 69 _ _ _ 71 _ _ _ 67")
        back = convert("-", "--from", "tokens", "--to", "midi", stdin=tokens.data).data
        assert sounds(score_in(back)) == sounds(score_in(TUNE.encode()))
        assert "tune 1: 2 meters, 2 tempos, 2 keys, 1 title left out\n" in tokens.err

    def test_a_recorded_performance_is_written_in_note_values(self, convert):
        notes = tuple(Note(Fraction(at) + Fraction(at % 5 - 2, 60), 60 + at, Fraction(19, 20)) for at in range(2, 18))
        result = convert("-", "--to", "abc", stdin=formats.write("midi", Score((Part(notes),))))
        assert {note.duration for note in score_in(result.data).notes} == {1}
        assert "notes moved or changed in length" in result.err


def test_what_no_score_holds_is_counted(convert, tmp_path):
    (tmp_path / "song.abc").write_text(
        "X:1\nT:Song\nT:Air\nC:Trad.\nH:Old\nR:reel\nU:S=!trill!\nL:1/4\nK:G\n"
        '"^slow"!trill!.G "Am"A (Bc)|SG !segno!"^D.S."A B2|]\nw:la la la la\nW:More\nW:and more\n'
    )
    result = convert(tmp_path / "song.abc", "-o", tmp_path / "new.musicxml", "--json")
    assert json.loads(result.out)["losses"] == {
        "further titles left out": 1, "fields H: left out": 1, "fields R: left out": 1, "lines of lyrics left out": 3,
        "annotations left out": 1, "decorations left out": 3, "slurs left out": 1,
    }  # fmt: skip
    losses = "1 further title, 1 field H:, 1 field R:, 1 annotation, 1 slur left out\n"
    assert f"{tmp_path / 'song.abc'}: tune 1: 3 decorations, 3 lines of lyrics, {losses}" in result.err


@pytest.mark.parametrize("packed", [False, True])
def test_what_no_score_holds_of_musicxml_is_counted(convert, tmp_path, packed):
    said, held = (
        "<lyric><text>la</text></lyric><lyric><text>lo</text></lyric>",
        "<lyric><extend/><text> </text></lyric>",
    )
    path = tmp_path / ("song.mxl" if packed else "song.musicxml")
    head = "<creator type='lyricist'>Burns</creator><creator type='x y'>N.</creator><rights>Free</rights><rights/>"
    music = bar(notes("C4/2", inside=said), notes("D4/1", inside=said), notes("E4/1", inside=held))
    data = xml_score([music], head=f"<identification>{head}</identification>")
    if packed:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("song.musicxml", data)
    else:
        path.write_bytes(data)
    for form in ("abc", "musicxml", "midi"):
        losses = json.loads(convert(path, "-o", tmp_path / f"new.{form}", "--to", form, "--json").out)["losses"]
        assert losses == {
            "fields lyricist: left out": 1, "fields creator: left out": 1, "fields rights: left out": 1,
            "syllables of lyrics left out": 4,
        }  # fmt: skip


def test_composers_are_kept(convert):
    tune = "X:1\nT:Air\nC:J. Playford\nC:arr. Byrd \\& R&eacute; 50\\%\nL:1/4\nK:G\nGABc|d4|]\n"
    xml = convert("-", "--to", "musicxml", stdin=tune)
    names = ["J. Playford", "arr. Byrd & Ré 50%"]
    assert xml.err == ""
    creators = ElementTree.fromstring(xml.data).iterfind("identification/creator")
    assert [(each.get("type"), each.text) for each in creators] == [("composer", name) for name in names]
    for stdin in (xml.data, tune):
        abc = convert("-", "--to", "abc", stdin=stdin)
        assert "\nT:Air\nC:J. Playford\nC:arr. Byrd & Ré 50\\%\nM:" in abc.out
        assert score_in(abc.data).composers == tuple(names)
        assert "composers" not in abc.err
    assert "2 composers left out" in convert("-", "--to", "midi", stdin=xml.data).err


class TestProvenance:
    def test_it_is_kept_where_the_format_has_a_place(self, convert):
        marked = TUNE.replace("X:1\n", f"X:1\nN:{RECIPE}\n")
        for form in FORMATS:
            data = convert("-", "--to", form, stdin=marked).data
            (found,) = provenance.read(data, "file")
            assert found.as_generated().text == RECIPE
            assert found.facts["changed_by"] == "convert"
        assert "1 provenance left out" in convert("-", "--to", "tokens", stdin=marked).err

    def test_each_tune_keeps_its_own(self, convert, tmp_path):
        tunes = [TUNE, TUNE.replace("X:1\n", f"X:2\nN:{RECIPE}\n"), TUNE]
        convert("-", "-o", tmp_path / "%d.mid", stdin="\n".join(tunes))
        found = [provenance.read((tmp_path / f"{number}.mid").read_bytes(), "") for number in (1, 2, 3)]
        assert [len(each) for each in found] == [0, 1, 0]

    def test_a_damaged_one_is_dropped_and_counted(self, convert):
        result = convert("-", "--to", "midi", stdin=TUNE.replace("X:1\n", f"X:1\nN:{RECIPE[:-3]}\n"))
        assert not provenance.read(result.data, "")
        assert "1 damaged provenance left out" in result.err


class TestFiles:
    def test_a_collection_becomes_a_file_for_each_tune(self, convert, tunes, tmp_path):
        result = convert(tunes, "--to", "midi", "-o", tmp_path / "new")
        names = sorted(path.name for path in (tmp_path / "new").iterdir())
        assert names == [f"tunes-{number}.mid" for number in (1, 2, 3, 4)]
        assert f"wrote 4 files to {tmp_path / 'new'} (created {tmp_path / 'new'})" in result.err
        titles = [mido.MidiFile(tmp_path / "new" / name).tracks[0].name for name in names]
        assert titles == ["Over the Fence", "The Wet Field", "Early", "All Sorts"]

    def test_numbers_have_the_same_number_of_digits(self, convert, tmp_path):
        convert("-", "--to", "midi", "-o", f"{tmp_path}/", stdin="\n".join([TUNE] * 10))
        assert sorted(path.name for path in tmp_path.glob("*.mid"))[0] == "stdin-01.mid"

    def test_folders_keep_their_structure(self, convert, tunes, tmp_path):
        (tmp_path / "old" / "reels").mkdir(parents=True)
        (tmp_path / "old" / "reels" / "one.abc").write_text(TUNE)
        (tmp_path / "old" / "two.mid").write_bytes(formats.write("midi", score_in(TUNE.encode())))
        convert(tmp_path / "old", "--to", "abc", "-o", f"{tmp_path}/new/")
        assert sorted((tmp_path / "new").rglob("*.abc")) == [tmp_path / "new/reels/one.abc", tmp_path / "new/two.abc"]
        convert(tmp_path / "old", "--from", "midi", "--to", "abc", "-o", f"{tmp_path}/midi/")
        assert list((tmp_path / "midi").rglob("*.abc")) == [tmp_path / "midi/two.abc"]

    def test_an_archive(self, convert, tmp_path):
        with zipfile.ZipFile(tmp_path / "tunes.zip", "w") as archive:
            archive.writestr("jigs/a.abc", TUNE)
        convert(tmp_path / "tunes.zip", "--to", "midi", "-o", tmp_path / "new")
        assert (tmp_path / "new" / "jigs" / "a.mid").exists()

    @pytest.mark.parametrize("form", ["abc", "tokens"])
    def test_many_files_become_one_collection(self, convert, tunes, tmp_path, form):
        (tmp_path / "one.abc").write_text(TUNE)
        convert(tunes, tmp_path / "one.abc", "-o", tmp_path / f"all.{form}")
        again = convert(tmp_path / f"all.{form}", "--to", "abc").out
        assert [line for line in again.splitlines() if line.startswith("X:")] == [f"X:{at}" for at in range(1, 6)]
        assert again.count("\n\n") == 4

    def test_stdout_is_the_default(self, convert, tmp_path):
        (tmp_path / "one.abc").write_text(TUNE)
        assert convert(tmp_path / "one.abc", "--to", "midi").data.startswith(b"MThd")
        assert convert(tmp_path / "one.abc", "--to", "midi", "-o", "-").data.startswith(b"MThd")

    def test_existing_files_stay_without_force(self, composer, convert, tmp_path):
        (tmp_path / "one.abc").write_text(TUNE)
        (tmp_path / "one.mid").write_bytes(b"precious")
        for output in ("one.mid", "", "%d.mid"):
            path = tmp_path / output
            (tmp_path / "1.mid").write_bytes(b"precious")
            result = composer("convert", tmp_path / "one.abc", "--to", "midi", "-o", path)
            result.failed("already exists", "--force")
            assert (tmp_path / "one.mid").read_bytes() == b"precious"
            convert(tmp_path / "one.abc", "--to", "midi", "-o", path, "--force")
            (tmp_path / "one.mid").write_bytes(b"precious")

    def test_the_input_is_never_overwritten(self, composer, tmp_path):
        (tmp_path / "one.abc").write_text(TUNE)
        for output in (tmp_path, tmp_path / "one.abc"):
            result = composer("convert", tmp_path / "one.abc", "--to", "abc", "-o", output, "--force")
            result.failed("one.abc is the input, which is never overwritten")
        assert (tmp_path / "one.abc").read_text() == TUNE

    def test_two_files_that_would_become_one(self, composer, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "one.abc").write_text(TUNE)
        result = composer("convert", tmp_path / "a", tmp_path / "b", "--to", "midi", "-o", tmp_path / "new", "--force")
        assert result.code == 1
        assert f"one.mid was already written from {tmp_path}/a/one.abc" in result.err

    def test_a_taken_file_name_does_not_stop_the_others(self, composer, convert, tmp_path):
        old, new = tmp_path / "old", tmp_path / "new"
        old.mkdir()
        for name in ("a.abc", "z.abc"):
            (old / name).write_text(TUNE)
        (old / "a.mid").write_bytes(formats.write("midi", score_in(TUNE.encode())))
        result = composer("convert", old, "--to", "midi", "-o", new, "--json")
        assert result.code == 1
        assert sorted(path.name for path in new.iterdir()) == ["a.mid", "z.mid"]
        document = json.loads(result.out)
        assert [piece["output"] for piece in document["pieces"]] == [str(new / "a.mid"), str(new / "z.mid")]
        assert [failed["piece"] for failed in document["failed"]] == [str(old / "a.mid")]
        hint = result.err.splitlines()[-1].removeprefix("hint: composer convert ")
        convert(*hint.split())
        assert (new / "mid" / "a.mid").exists()

    def test_an_existing_numbered_file_does_not_stop_the_others(self, composer, tunes, tmp_path):
        (tmp_path / "2.mid").write_bytes(b"precious")
        result = composer("convert", tunes, "-o", tmp_path / "%d.mid")
        assert result.code == 1
        assert "2.mid already exists\nhint: overwrite it with --force" in result.err
        assert sorted(path.name for path in tmp_path.glob("*.mid")) == ["1.mid", "2.mid", "3.mid", "4.mid"]
        assert (tmp_path / "2.mid").read_bytes() == b"precious"

    def test_many_existing_files(self, composer, convert, tmp_path):
        convert("-", "-o", tmp_path / "%d.mid", stdin="\n".join([TUNE] * 9))
        again = "\n".join(["X:1\nT:Silent\nK:C\n", *[TUNE] * 9])
        result = composer("convert", "-", "-o", tmp_path / "%d.mid", stdin=again.encode())
        result.failed("10 of 10 pieces could not be converted", "overwrite it with --force", code=1)
        assert "warning: the files of 9 pieces already exist\n" in result.err

    def test_new_files_are_not_cached(self, convert, tmp_path):
        (tmp_path / "one.abc").write_text(TUNE)
        convert(tmp_path / "one.abc", "-o", tmp_path / "one.musicxml")
        assert not list(cache_folder().rglob("*.json"))
        convert(tmp_path / "one.musicxml", "-o", tmp_path / "two.musicxml")
        assert len(list(cache_folder().rglob("*.json"))) == 1

    def test_json(self, convert, composer, tunes, tmp_path):
        result = convert(tunes, "--to", "tokens", "-o", tmp_path / "new", "--json", "-q")
        document = json.loads(result.out)
        assert (document["files"], len(document["pieces"]), document["failed"]) == (1, 4, [])
        assert document["pieces"][0]["output"] == str(tmp_path / "new" / "tunes.tokens")
        assert document["losses"]["titles left out"] == 4
        composer("convert", tunes, "--to", "tokens", "--json").failed("--json needs --output", code=2)

    def test_progress_on_a_terminal(self, composer, tunes, tmp_path):
        result = composer("convert", tunes, "-o", tmp_path / "%d.mid", terminal=True)
        assert "converting: 1 file, 4 pieces" in result.err


def test_kern_is_read(convert, tmp_path):
    (tmp_path / "scale.krn").write_text("**kern\n*M4/4\n=1\n4c\n4d\n4e\n4f\n=2\n1g\n==\n*-\n")
    data = convert(tmp_path / "scale.krn", "--to", "midi").data
    assert [note.pitch for note in score_in(data).notes] == [60, 62, 64, 65, 67]
    assert mido.MidiFile(file=io.BytesIO(data)).length == pytest.approx(4)
