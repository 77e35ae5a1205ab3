"""What converted music lacks: notes, chord symbols, instruments and signs, each counted by a phrase."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer import formats
from composer.api import ChordSymbol, Key, Meter, Note, Part, Score, Tempo, VoiceNotation
from composer.api.testing import source
from composer.cli.convert.losses import lost_notes, lost_signs
from composer.formats.abc.reader.score import read_score
from composer.formats.read import read_scores
from composer.music.bars import count_silent_bars, notated_end

F = Fraction


def melody(*pitches, velocity=80):
    return tuple(Note(F(at), pitch, F(1), velocity) for at, pitch in enumerate(pitches))


SCORE = Score(
    (Part(melody(60, 62, 64, 65), program=73), Part(melody(36, 38), percussion=True)),
    chords=(ChordSymbol(F(0), F(2), "C"), ChordSymbol(F(2), F(2), "G")),
    tempos=(Tempo(F(0), 90.0), Tempo(F(2), 60.0)),
    meters=(Meter(F(0), 3, 4), Meter(F(3), 2, 4)),
    keys=(Key(F(0), 2, "dorian"), Key(F(3), -1)),
    title="A Tune",
)


def test_nothing_is_lost_of_the_same():
    assert not lost_notes(SCORE, SCORE)
    assert not lost_signs(SCORE, SCORE)


def test_everything_is_lost_of_a_score_without_signs():
    assert lost_signs(SCORE, Score(SCORE.parts)) == {
        "titles left out": 1, "tempos left out": 2, "meters left out": 2, "keys left out": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "losses"),
    [
        ((Part(melody(60, 62), program=73), SCORE.parts[1]), {"notes left out": 2}),
        ((SCORE.parts[0], replace(SCORE.parts[1], percussion=False)), {"notes left out": 2}),
        ((replace(SCORE.parts[0], program=0), SCORE.parts[1]), {"instruments left out": 1}),
    ],
)
def test_notes_and_instruments(parts, losses):
    assert lost_notes(SCORE, replace(SCORE, parts=parts)) == losses


BARRED = "X:1\nM:4/4\nL:1/4\nK:G\n{}\n"
MOVED = "bar lines moved, since bars do not fill the meter"


@pytest.mark.parametrize(
    ("music", "losses"),
    [
        ("GABcd|dcBA|G3 A|G4|]", {MOVED: 4}),
        ("GAB|dcBA|G3 A|G4|]", {}),  # a pickup
        ("D|GABc|dcBA|G3|]", {}),
        ("GABc|dc|]", {}),
        ("|:D|GABc|dcB:|:D|GABc|dcB:|", {"repeats written out": 2}),
        ("|:GABc|dcBA|1 G4:|2 G3A|]", {"repeats written out": 1}),
        ("[M:none]GABcd|dcB|G4|]", {}),
    ],
)
def test_bar_lines_and_repeats(music, losses):
    score = read_score(BARRED.format(music))
    assert lost_signs(score, read_score(formats.write("abc", score).decode())) == losses


@pytest.mark.parametrize(("order", "count"), [("AAB", 1), ("AABA", 1), ("ABC", 2), ("B", 0)])
def test_repeats_count_as_written_with_an_order_of_parts(order, count):
    header = BARRED.replace("K:", f"P:{order}\nK:")
    score = read_score(header.format("P:A\n|:GABc|1 dcBA:|2 G4||\nP:B\nB4|G4||\nP:C\n|:A2G2:|"))
    lost = lost_signs(score, read_score(formats.write("abc", score).decode()))
    assert lost == ({"repeats written out": count} if count else {})


def test_bar_lines_and_repeats_of_midi_are_unknown():
    score = read_score(BARRED.format("|:GABcd|dcB:|"))
    assert not lost_signs(score, replace(score, notation=None))


def read(data, name):
    ((_, score),) = read_scores(source(data, name))
    return score


def last_note(score):
    return max(score.notes, key=lambda note: note.end)


SILENT = "silent bars at the end left out"


@pytest.mark.parametrize(
    "music",
    [
        "GABc|d4|z4|z4|]", "D|GABc|d4|z4|z3|]", "|:GABc|d2z2|z4:|", "GABc|[M:3/4]d3|z3|z3|]", "GABc|(3dcB d2|Z2|]",
        "[V:1]GABc|d4|z4|\n[V:2]G,4|D4|x4|", '"G"GABc|d4|z4|z4|]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["abc", "musicxml"])
def test_silent_bars_at_the_end_are_kept(name, music):
    score = read_score(BARRED.format(music))
    again = read(formats.write(name, score), f"a.{name}")
    assert notated_end(again) == notated_end(score) > last_note(again).end
    assert SILENT not in lost_signs(score, again)


def test_silent_bars_at_the_end_of_musicxml_are_kept_in_abc():
    score = read_score(BARRED.format("GABc|d4|z4|z4|]"))
    written = formats.write("abc", read(formats.write("musicxml", score), "a.musicxml")).decode()
    assert count_silent_bars(read_score(written)) == 2


def test_silent_bars_at_the_end_that_midi_lacks():
    score = read_score(BARRED.format("GABc|d4|z4|z4|]"))
    assert lost_signs(score, read(formats.write("midi", score), "a.mid"))[SILENT] == 2
    assert SILENT not in lost_signs(score, read_score(BARRED.format("GABc|d4|z8|]")))


def test_silent_bars_at_the_end_of_an_order_that_notation_lacks():
    score = read_score(BARRED.format("GABc|d4|z4 !fine!|GABc|d4 !D.C.alfine!|]"))
    assert score.notation is None
    assert score.losses == {SILENT: 1}


def test_voices_that_share_a_staff_are_one_instrument():
    voices = tuple(Part(melody(pitch), program=73, notation=VoiceNotation(1)) for pitch in (60, 64))
    joined = Part(tuple(sorted(voices[0].notes + voices[1].notes)), program=73)
    assert not lost_notes(Score(voices), Score((joined,)))


@pytest.mark.parametrize(("by", "count"), [(F(1, 100), 0), (F(1, 4), 2)])
def test_moved_notes(by, count):
    """The first is moved and the last is longer."""
    first, *others, last = melody(60, 62, 64)
    changed = (first._replace(onset=by, duration=1 - by), *others, last._replace(duration=1 + by))
    found = lost_notes(Score((Part(melody(60, 62, 64)),)), Score((Part(changed),)))
    assert found["notes moved or changed in length"] == count
    assert found.total() == count


def test_velocities_count_if_they_differ():
    loud, soft = melody(60, 62, velocity=100), melody(60, 62, velocity=80)
    assert not lost_notes(Score((Part(loud),)), Score((Part(soft),)))
    shaped = (loud[0], soft[1])
    assert lost_notes(Score((Part(shaped),)), Score((Part(soft),))) == {"velocities left out": 1}


def test_chord_symbols_that_are_played():
    played = replace(SCORE, chords=(), parts=(*SCORE.parts, Part(melody(48, 52, 55))))
    assert lost_notes(SCORE, played) == {"chord symbols written as notes": 2}
    assert lost_notes(SCORE, replace(SCORE, chords=())) == {"chord symbols left out": 2}


@pytest.mark.parametrize(
    ("changes", "losses"),
    [
        ({"tempos": (Tempo(F(0), 90.01), Tempo(F(2), 60.0))}, {}),
        ({"tempos": (Tempo(F(0), 90.0),)}, {"tempos left out": 1}),
        ({"tempos": (Tempo(F(0), 90.0), Tempo(F(2), 120.0))}, {"tempos left out": 1}),
        ({"keys": (Key(F(0), 2, "minor"), Key(F(3), -1))}, {"modes left out": 1}),
        ({"keys": (Key(F(0), 2, "dorian"),)}, {"keys left out": 1}),
        ({"meters": (Meter(F(0), 3, 4),)}, {"meters left out": 1}),
        ({"meters": (*SCORE.meters, Meter(F(5), 2, 4))}, {}),
        ({"title": "Another"}, {}),
    ],
)
def test_signs(changes, losses):
    assert lost_signs(SCORE, replace(SCORE, **changes)) == losses


def test_pickups():
    assert lost_signs(replace(SCORE, pickup=F(1)), SCORE) == {"pickups left out": 1}


NOTES = st.builds(Note, st.integers(0, 20).map(F), st.integers(60, 64), st.integers(1, 4).map(F), st.integers(1, 127))


@given(st.lists(NOTES, max_size=12), st.data())
def test_left_out_notes_are_counted_exactly(notes, data):
    kept = data.draw(st.lists(st.sampled_from(range(len(notes))), unique=True)) if notes else []
    after = Score((Part(tuple(sorted(notes[at] for at in kept))),))
    assert lost_notes(Score((Part(tuple(sorted(notes))),)), after)["notes left out"] == len(notes) - len(kept)
