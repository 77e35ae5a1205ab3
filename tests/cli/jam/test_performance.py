"""What was played, as messages in time, as a score, and as a recording."""

from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import Meter, Note, Part, Source
from composer.cli.jam.bars import JamBar, cut
from composer.cli.jam.performance import Performance
from composer.cli.jam.recording import Recording
from composer.formats.read import read_scores
from composer.music.bars import COMMON_TIME

WALTZ = Meter(Fraction(0), 3, 4)


def bar(*pitches, meter=COMMON_TIME, bpm=120.0, program=0, percussion=False, starts=False):
    """A bar of quarter notes."""
    notes = tuple(Note(Fraction(at), pitch, Fraction(1)) for at, pitch in enumerate(pitches))
    part = Part(notes, program=program, percussion=percussion)
    return JamBar((part,), meter.bar, meter, bpm, starts, "Jig" if starts else "")


def said(messages):
    return [(each.seconds, each.message.type, getattr(each.message, "note", None)) for each in messages]


def test_bars_follow_each_other_in_time():
    performance = Performance()
    assert said(performance.append(bar(60)))[0] == (0.0, "note_on", 60)
    assert performance.end_seconds == 2.0
    assert said(performance.append(bar(62, bpm=60.0)))[:2] == [(2.0, "note_on", 62), (3.0, "note_off", 62)]
    assert performance.end_seconds == 6.0
    assert performance.beat(4.0) == 6
    performance.rest(Fraction(1))
    first, *_ = performance.append(bar(64, program=40))
    assert (first.seconds, first.message.type, first.message.program) == (7.0, "program_change", 40)
    assert performance.bar_at(Fraction(8)) == 1
    assert performance.bar_at(Fraction(9)) == 2


def test_one_note_ends_when_the_next_one_begins_exactly():
    performance = Performance()
    performance.rest(Fraction(1, 3))
    messages = [each for _ in range(3) for each in performance.append(bar(60, 60, 60, meter=WALTZ, bpm=97.0))]
    ends = [each.seconds for each in messages if each.message.type == "note_off"]
    begins = [each.seconds for each in messages if each.message.type == "note_on"]
    assert ends[:-1] == begins[1:]


def test_the_score_of_what_was_played_and_comes():
    performance = Performance()
    performance.append(bar(60, starts=True))
    performance.append(bar(62, 64, 65, meter=WALTZ, bpm=90.0, starts=True))
    performance.keyboard.append(Note(Fraction(4), 48, Fraction(2)))
    score = performance.score(Fraction(4), [bar(67, meter=WALTZ, bpm=90.0)])
    assert [(note.onset, note.pitch) for note in score.parts[0].notes] == [(0, 62), (1, 64), (2, 65), (3, 67)]
    assert [(part.name, len(part.notes)) for part in score.parts] == [("", 4), ("Keyboard", 1)]
    assert score.meters == (WALTZ,)
    assert [tempo.bpm for tempo in score.tempos] == [90.0]
    assert score.title == "Jig"


def test_what_was_not_played_is_taken_back():
    performance = Performance()
    for pitch in (60, 62, 64):
        performance.append(bar(pitch, pitch, pitch))
    performance.stop(2.75)
    assert performance.end == Fraction(11, 2)
    assert [(note.onset, note.pitch, note.duration) for note in performance.score(Fraction(0)).notes[2:]] == [
        (2, 60, 1),
        (4, 62, 1),
        (5, 62, Fraction(1, 2)),
    ]
    performance.rest_until(5.0)
    assert said(performance.append(bar(65, bpm=60.0)))[0] == (5.0, "note_on", 65)
    performance.stop(0.0)
    assert not performance.bars


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_recording_has_what_was_played_since(folder):
    performance = Performance()
    performance.append(bar(60, 62, 64, 65))
    performance.append(bar(67, 69, 71, 72, program=3))
    path = Recording(Fraction(5)).save(performance, Fraction(6))
    assert path == Path("jam-1.mid")
    (_, score), *_ = read_scores(Source(path))
    assert [(note.onset, note.pitch, note.duration) for note in score.notes] == [(0, 67, 1), (1, 69, 1)]
    assert score.parts[0].program == 3


def test_a_recording_has_the_instruments_that_were_played(folder):
    performance = Performance()
    for each in (bar(60), bar(62, program=40), bar(36, percussion=True), bar(64)):
        performance.append(each)
    (_, score), *_ = read_scores(Source(Recording(Fraction(0)).save(performance, Fraction(16))))
    found = {(part.program, part.percussion): [note.pitch for note in part.notes] for part in score.parts}
    assert found == {(0, False): [60, 64], (40, False): [62], (0, True): [36]}


def test_an_instrument_is_set_again_if_its_bar_was_taken_back():
    performance = Performance()
    performance.append(bar(60, program=40))
    performance.stop(0.0)
    first, *_ = performance.append(bar(62, program=40))
    assert (first.message.type, first.message.program) == ("program_change", 40)


def test_nothing_is_recorded_of_silence(folder):
    performance = Performance()
    performance.append(bar(60))
    assert Recording(Fraction(8)).save(performance, Fraction(9)) is None


def test_recordings_never_overwrite(folder):
    performance = Performance()
    performance.append(bar(60))
    (folder / "jam-1.mid").write_bytes(b"mine")
    (folder / "jam-3.mid").symlink_to("gone")
    recording = Recording(Fraction(0))
    (folder / "jam-2.mid").write_bytes(b"written meanwhile")
    assert recording.save(performance, Fraction(4)) == Path("jam-4.mid")
    assert (folder / "jam-1.mid").read_bytes() == b"mine"
    assert (folder / "jam-2.mid").read_bytes() == b"written meanwhile"


def test_transposed_bars_stay_in_the_range_of_midi():
    moved = bar(0, 60, 127).transposed(-2)
    assert [note.pitch for note in moved.parts[0].notes] == [10, 58, 125]
    assert [note.pitch for note in bar(127).transposed(2).parts[0].notes] == [117]


def test_a_pickup_leaves_room_in_the_last_bar():
    notes = tuple(Note(Fraction(at), 60, Fraction(1)) for at in range(8))
    from composer.api import Score

    bars = list(cut(Score((Part(notes),), pickup=Fraction(1)), Fraction(0), None))
    assert [each.length for each in bars] == [1, 4, 3]
    assert [each.starts for each in bars] == [True, False, False]
