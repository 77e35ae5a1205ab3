"""Many files: damaged ones do not end the run; duplicates are found in any key, note values and format."""

from dataclasses import replace

from composer import formats
from composer.api import Part, ReadError, Source
from composer.api.testing import source
from composer.check.collection import check_files, fix_file
from composer.formats.abc.reader.score import read_score

TUNE = "X:1\nT:The Hare\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n|:B2GB A2FA|G2F2 G4:|\n"
HIGHER = "X:7\nT:The Hound\nM:4/4\nL:1/8\nK:A\n|:ABcd e2dc|B2G2 A4:|\n|:c2Ac B2GB|A2G2 A4:|\n"
SLOWER = "X:8\nM:4/4\nL:1/4\nK:G\n|:GABc|d2cB|A2F2|G4:|\n|:B2GB|A2FA|G2F2|G4:|\n"
OTHER = TUNE.replace("d2cB", "d2cd")


def duplicates(*sources):
    return [
        [(each.line, each.message) for each in diagnosis.problems if each.kind == "duplicate"]
        for diagnosis in check_files(sources)
    ]


def test_a_tune_in_two_files():
    first, second = duplicates(
        source(TUNE, "a.abc"), source(f"{OTHER}\n{TUNE.replace('The Hare', 'A Rabbit')}", "b.abc")
    )
    assert first == []
    assert second == [(9, "same tune as a.abc:1 (`The Hare`)")]


def test_a_tune_twice_in_one_file():
    assert duplicates(source(f"{TUNE}\n{HIGHER}", "a.abc")) == [
        [(9, "same tune as line 1 (`The Hare`), 2 semitones higher")]
    ]


def test_a_tune_in_other_keys_and_note_values():
    _, second, third = duplicates(source(HIGHER, "a.abc"), source(TUNE, "b.abc"), source(SLOWER, "c.abc"))
    assert second == [(1, "same tune as a.abc:1 (`The Hound`), 2 semitones lower")]
    assert third == [(1, "same tune as a.abc:1 (`The Hound`), 2 semitones lower, in note values twice as long")]


def test_a_tune_in_another_format():
    data = formats.write("midi", read_score(TUNE))
    assert duplicates(source(TUNE, "a.abc"), source(data, "a.mid"))[1] == [(0, "same tune as a.abc:1 (`The Hare`)")]


def test_other_note_values():
    def longer(unit):
        changed = source(SLOWER.replace("L:1/4", f"L:{unit}").replace("M:4/4", "M:none"), "b.abc")
        return duplicates(source(SLOWER.replace("M:4/4", "M:none"), "a.abc"), changed)[1][0][1].rpartition(", ")[2]

    assert longer("1/8") == "in note values half as long"
    assert longer("3/4") == "in note values 3 times as long"
    assert longer("3/8") == "in note values 3/2 times as long"


def test_the_same_voices_in_one_part():
    """The melody of the parts is the first; that of their notes in one part is all of them."""
    voices = "X:1\nM:4/4\nL:1/4\nK:G\nV:1\nGABc|d2cB|A2F2|GABd|G4|]\nV:2\nG,4|G,4|D,4|G,4|G,4|]\n"
    score = read_score(voices)
    together = replace(score, parts=(Part(score.notes),))
    assert duplicates(source(voices, "a.abc"), source(formats.write("midi", together), "b.mid"))[1] == [
        (0, "same tune as a.abc:1")
    ]


def test_a_melody_with_chords():
    chords = TUNE.replace("|:G", '|:"G"G')
    data = formats.write("midi", read_score(chords))
    assert duplicates(source(TUNE, "a.abc"), source(data, "b.mid"))[1] == [(0, "same melody as a.abc:1 (`The Hare`)")]


def test_a_fixed_copy_is_not_a_duplicate():
    assert duplicates(source(TUNE, "a.abc"), source(TUNE, "a.fixed.abc")) == [[], []]


def test_short_tunes_are_not_compared():
    short = "X:1\nM:4/4\nL:1/4\nK:G\nGABc|d4|]\n"
    assert duplicates(source(short, "a.abc"), source(short, "b.abc")) == [[], []]


def test_damaged_files_do_not_end_the_run():
    bad = [ReadError("cannot open a.abc"), source(b"MThd", "b.mid"), source("", "c.abc"), source(b"PK\3\4", "d.mxl")]
    found = list(check_files([*bad, source(TUNE, "e.abc")]))
    assert [len(each.problems) for each in found] == [1, 1, 1, 1, 0]
    assert all(problem.severity == "error" for each in found for problem in each.problems)
    assert found[-1].pieces == 1


def test_a_crash_of_a_reader_is_reported(monkeypatch):
    def broken(source, checks):
        raise IndexError("no such thing")

    monkeypatch.setattr("composer.check.collection.examine", broken)
    (found,) = check_files([source(TUNE, "a.abc")])
    assert "IndexError" in found.problems[0].message


def test_a_crash_of_a_fix_is_reported(monkeypatch, tmp_path):
    def broken(source, problems):
        raise IndexError("no such thing")

    monkeypatch.setattr("composer.check.collection.fix", broken)
    (tmp_path / "a.abc").write_text(TUNE)
    (found,) = check_files([Source(tmp_path / "a.abc")])
    done = fix_file(found)
    assert done.data is None
    assert "IndexError" in done.left[0].message
