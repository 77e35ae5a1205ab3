"""Many files: no bad one ends the round, and a tune is found again in another key, other values, another format."""

from composer import formats
from composer.api import ReadError, Source
from composer.api.testing import source
from composer.check.collection import diagnoses, treated
from composer.formats.abc.reader.score import read_score

TUNE = "X:1\nT:The Hare\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n|:B2GB A2FA|G2F2 G4:|\n"
HIGHER = "X:7\nT:The Hound\nM:4/4\nL:1/8\nK:A\n|:ABcd e2dc|B2G2 A4:|\n|:c2Ac B2GB|A2G2 A4:|\n"
SLOWER = "X:8\nM:4/4\nL:1/4\nK:G\n|:GABc|d2cB|A2F2|G4:|\n|:B2GB|A2FA|G2F2|G4:|\n"
OTHER = TUNE.replace("d2cB", "d2cd")


def duplicates(*sources):
    return [
        [(each.line, each.message) for each in diagnosis.problems if each.kind == "duplicate"]
        for diagnosis in diagnoses(sources)
    ]


def test_a_tune_that_stands_there_twice():
    first, second = duplicates(
        source(TUNE, "a.abc"), source(f"{OTHER}\n{TUNE.replace('The Hare', 'A Rabbit')}", "b.abc")
    )
    assert first == []
    assert second == [(9, "the same tune as a.abc:1 (`The Hare`)")]


def test_within_one_file():
    assert duplicates(source(f"{TUNE}\n{HIGHER}", "a.abc")) == [
        [(9, "the same tune as line 1 (`The Hare`), 2 semitones higher")]
    ]


def test_in_another_key_and_in_other_values():
    _, second, third = duplicates(source(HIGHER, "a.abc"), source(TUNE, "b.abc"), source(SLOWER, "c.abc"))
    assert second == [(1, "the same tune as a.abc:1 (`The Hound`), 2 semitones lower")]
    assert third == [(1, "the same tune as a.abc:1 (`The Hound`), 2 semitones lower, in note values 2 as long")]


def test_in_another_format():
    data = formats.write("midi", read_score(TUNE))
    assert duplicates(source(TUNE, "a.abc"), source(data, "a.mid"))[1] == [(0, "the same tune as a.abc:1 (`The Hare`)")]


def test_a_melody_with_chords_below_it_is_the_same_melody():
    chords = TUNE.replace("|:G", '|:"G"G')
    data = formats.write("midi", read_score(chords))
    assert duplicates(source(TUNE, "a.abc"), source(data, "b.mid"))[1] == [
        (0, "the same melody as a.abc:1 (`The Hare`)")
    ]


def test_a_mended_file_is_no_copy():
    assert duplicates(source(TUNE, "a.abc"), source(TUNE, "a.fixed.abc")) == [[], []]


def test_short_tunes_are_alike_by_chance():
    short = "X:1\nM:4/4\nL:1/4\nK:G\nGABc|d4|]\n"
    assert duplicates(source(short, "a.abc"), source(short, "b.abc")) == [[], []]


def test_no_bad_file_ends_the_round():
    bad = [ReadError("cannot open a.abc"), source(b"MThd", "b.mid"), source("", "c.abc"), source(b"PK\3\4", "d.mxl")]
    found = list(diagnoses([*bad, source(TUNE, "e.abc")]))
    assert [len(each.problems) for each in found] == [1, 1, 1, 1, 0]
    assert all(problem.severity == "error" for each in found for problem in each.problems)
    assert found[-1].pieces == 1


def test_a_reader_that_breaks_is_the_fault_of_its_file(monkeypatch):
    def broken(source):
        raise IndexError("no such thing")

    monkeypatch.setattr("composer.check.collection.examine", broken)
    (found,) = diagnoses([source(TUNE, "a.abc")])
    assert "IndexError" in found.problems[0].message


def test_a_mender_that_breaks_is_the_fault_of_its_file(monkeypatch, tmp_path):
    def broken(source, problems):
        raise IndexError("no such thing")

    monkeypatch.setattr("composer.check.collection.fix", broken)
    (tmp_path / "a.abc").write_text(TUNE)
    (found,) = diagnoses([Source(tmp_path / "a.abc")])
    done = treated(found)
    assert done.data is None
    assert "IndexError" in done.left[0].message
