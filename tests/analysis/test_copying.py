"""Copied runs: their exact length and position, in any key and at any speed."""

import random
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from melodies import melodies_of

from composer.analysis.copying import longest_copied_run, longest_run
from composer.analysis.melody_search import MelodyIndex, SharedRunState
from composer.api import CheckpointError, Meter, Note, Part, Piece, Score, SequenceSpec, Source
from composer.checkpoints import store
from composer.checkpoints.file import Checkpoint, Header, load, save
from composer.checkpoints.training_melodies import pack_melodies, training_melodies
from composer.music import contour as melodies_module
from composer.music.contour import MelodyCollection, contour
from composer.registry import plugins as registry

HARE = "X:1\nT:The Hare\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n|:B2GB A2FA|G3F G4:|\n"
FIELD = "X:2\nT:The Wet Field\nM:6/8\nL:1/8\nK:D\n|:ABA FED|d2d cBA|GBG FAF|E3 D3:|\n"
RISING = "X:3\nT:Rising\nM:4/4\nL:1/8\nK:C\nc|CD_EF ^FAB_e|f_a^cd _G2E2|]\n"


def melodies_in(path):
    """Return the training melodies of the checkpoint at `path`."""
    return training_melodies(load(path).extra, path.name)


def tunes(text, name="tunes.abc"):
    representation = registry.representation("abc")()
    pieces = representation.read(Source(name, name=name, data=text.encode()))
    return representation, [piece for piece in pieces if isinstance(piece, Piece)]


def score_of(text):
    representation, (piece,) = tunes(text)
    return representation.score(piece)


def line(pitches, times=None, shift=0, factor=1, title=""):
    """Return a score with one melody; `times` are durations in beats."""
    onset, notes = Fraction(0), []
    for pitch, time in zip(pitches, times or [1] * len(pitches), strict=True):
        notes.append(Note(onset * factor, pitch + shift, Fraction(time) * factor))
        onset += Fraction(time)
    return Score((Part(tuple(notes)),), title=title)


def index_of(*scores):
    collecting = melodies_module.MelodyCollector()
    for score in scores:
        collecting.append(score.title, "", contour(score))
    return MelodyIndex(collecting.melodies())


@pytest.fixture
def index():
    representation, pieces = tunes(f"{HARE}\n{FIELD}\n{RISING}")
    return MelodyIndex(melodies_of(pieces, representation))


def test_training_tune(index):
    match = longest_run(score_of(HARE), index)
    assert match.notes == match.tune.notes == 38
    assert (match.tune.title, match.tune.source) == ("The Hare", "tunes.abc: tune 1")
    assert (match.note, match.bar, match.at, match.at_bar, match.tunes) == (1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        HARE.replace("K:G", "K:Bb").replace("GABc d2cB|A2F2 G4", "Bcde f2ed|c2A2 B4").replace(
            "B2GB A2FA|G3F G4", "d2Bd c2Ac|B3A B4"
        ),
        "X:1\nM:4/4\nL:1/4\nK:G\n|:GABc|d2cB|A2F2|G4:|\n|:B2GB|A2FA|G3F|G4:|\n",
    ],
    ids=["in another key", "twice as slow"],
)  # fmt: skip
def test_transposed_or_stretched(index, text):
    match = longest_run(score_of(text), index)
    assert (match.notes, match.tune.title, match.note) == (38, "The Hare", 1)


def test_changed_note(index):
    score = score_of(HARE.replace("|:", "|").replace(":|", "|").replace("|B2GB", "|B2AB"))
    match = longest_run(score, index)
    assert (match.notes, match.tune.title, match.at, match.at_bar) == (11, "The Hare", 1, 1)
    assert (match.note, match.bar) == (11, 3), "the repeat, because the changed part follows it"


def test_run_inside_another_tune(index):
    score = score_of("X:1\nM:6/8\nL:1/8\nK:D\nDFA d2e|f2g a2f|dcA GFG|d2d cBA|GBG FAF|B3 A3|]\n")
    match = longest_run(score, index)
    assert (match.tune.title, match.note, match.bar, match.at, match.at_bar) == ("The Wet Field", 7, 2, 16, 4)
    assert match.notes == 11


def test_a_pickup_is_bar_0(index):
    match = longest_run(score_of(RISING), index)
    assert (match.tune.title, match.bar, match.at_bar) == ("Rising", 0, 0)


def test_random_melody_shares_short_runs(index):
    generator = random.Random(3)
    score = line([generator.randint(55, 84) for _ in range(100)], [generator.choice([1, 2, 3]) for _ in range(100)])
    assert longest_run(score, index).notes < 5


def test_run_in_several_tunes():
    pitches = [60, 62, 65, 61, 67, 60]
    one, other = line([72, 50, *pitches], title="One"), line([40, 41, 41, *pitches], title="Other")
    match = longest_run(line(pitches), index_of(one, other))
    assert (match.notes, match.tune.title, match.tunes, match.note) == (6, "One", 2, 3)


def test_excluded_tune(index):
    assert longest_run(score_of(HARE), index, exclude=0).notes < 10
    assert longest_run(score_of(HARE), index, exclude=1).notes == 38


def test_rests_and_accompaniment_are_ignored(index):
    score = score_of(HARE)
    melody = score.parts[0].notes
    short = tuple(Note(note.onset, note.pitch, note.duration / 2) for note in melody)
    bass = tuple(Note(Fraction(beat), 40 + beat % 3, Fraction(1)) for beat in range(32))
    assert longest_run(Score((Part(bass), Part(short))), index).notes == 38
    together = Score((Part(tuple(sorted([*melody, *bass]))),))
    assert longest_run(together, index).notes == 38


def test_silence_and_empty_index(index):
    assert longest_run(Score(()), index) is None
    assert longest_run(line([60]), index) is None
    assert longest_run(score_of(HARE), MelodyIndex(MelodyCollection.joined([]))) is None


OPENED = "X:1\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 "


class TestCopied:
    def test_without_primer_it_is_the_longest_run(self, index):
        for text in (HARE, FIELD, RISING):
            assert longest_copied_run(score_of(text), index) == longest_run(score_of(text), index).notes
        assert longest_copied_run(Score(()), index) == 0

    def test_primer_does_not_count(self, index):
        assert longest_copied_run(score_of(HARE), index, score_of(HARE)) == 0
        primer = line([67, 69, 71, 72, 74, 72, 71, 69, 66], [0.5] * 4 + [1, 0.5, 0.5, 1, 1])
        assert longest_copied_run(score_of(HARE), index, primer) == 19, "from the end of the repeated primer"

    def test_repeated_primer_does_not_count(self, index):
        whole = score_of(f"{OPENED}G4:|\n")
        assert longest_copied_run(whole, index) == len(whole.notes) == 20
        assert longest_copied_run(whole, index, score_of(f"{OPENED}G4|")) == 0
        assert longest_copied_run(whole, index, score_of(f"{OPENED}|")) == 1

    def test_repeats_of_a_short_primer_count(self, index):
        assert longest_copied_run(score_of(HARE), index, line([67, 69], [0.5, 0.5])) == 36

    def test_primer_that_the_piece_does_not_start_with(self, index):
        assert longest_copied_run(score_of(HARE), index, line([60, 61, 62])) == 38


def shared(one, other):
    """Return the length of the longest shared run of two melodies, by trying all."""
    found = 0
    for start in range(len(one.intervals)):
        for begin in range(len(other.intervals)):
            length = 1
            while start + length < len(one.intervals) and begin + length < len(other.intervals):
                here, there = start + length, begin + length
                same_rhythm = length == 1 or one.ratios[here] == other.ratios[there]
                if one.intervals[here] != other.intervals[there] or not same_rhythm:
                    break
                length += 1
            found = max(found, length)
    return found


melody_lines = st.lists(st.tuples(st.integers(60, 62), st.sampled_from([1, 2])), min_size=1, max_size=14).map(
    lambda notes: line([pitch for pitch, _ in notes], [time for _, time in notes])
)


@given(melody_lines, st.lists(melody_lines, min_size=1, max_size=4), st.integers(0, 3))
def test_longest_run_equals_exhaustive_search(score, others, exclude):
    index = index_of(*others)
    expected = [shared(contour(score), contour(other)) for other in others]
    match = longest_run(score, index)
    assert (match.notes if match else 1) == max(expected)
    if match:
        run = contour(score).cut(slice(match.at - 1, match.at - 1 + match.notes))
        assert match.tunes == sum(shared(run, contour(other)) == match.notes for other in others)
    if exclude < len(others):
        left = [length for number, length in enumerate(expected) if number != exclude]
        match = longest_run(score, index, exclude)
        assert (match.notes if match else 1) == max(left, default=1)


@given(melody_lines, st.integers(-12, 12), st.fractions(Fraction(1, 8), 8, max_denominator=12))
def test_contour_ignores_key_and_speed(score, shift, factor):
    notes = score.parts[0].notes
    moved = Score(
        (Part(tuple(Note(note.onset * factor, note.pitch + shift, note.duration * factor) for note in notes)),)
    )
    one, other = contour(score), contour(moved)
    assert one.intervals.tolist() == other.intervals.tolist()
    assert one.ratios.tolist() == other.ratios.tolist()


@given(melody_lines, melody_lines)
def test_run_length_at_each_note(score, known):
    notes, run = contour(score), SharedRunState(index_of(known))
    for count, (interval, rhythm) in enumerate(zip(notes.intervals.tolist(), notes.ratios.tolist(), strict=True), 1):
        run, prefix = run.after(interval, rhythm), notes.cut(slice(0, count))
        assert run.length == max(length for length in range(count + 1) if ends_with(prefix, contour(known), length))


def ends_with(one, other, length):
    """Return True if another melody contains the last `length` notes of a melody."""
    start = len(one.intervals) - length
    return any(
        one.intervals[start + 1 :].tolist() == other.intervals[begin + 1 : begin + length].tolist()
        and one.ratios[start + 2 :].tolist() == other.ratios[begin + 2 : begin + length].tolist()
        for begin in range(len(other.intervals) - length + 1)
    )


def test_checkpoint_round_trip(index, tmp_path):
    spec = SequenceSpec("tokens", 3, 0)
    plain = Checkpoint(Header("abc", 1, {}, {}, "lstm", {}, spec), {"weight": np.ones(3, np.float16)})
    save(tmp_path / "plain.safetensors", plain)
    assert melodies_in(tmp_path / "plain.safetensors") is None
    save(tmp_path / "model.safetensors", replace(plain, extra=pack_melodies(index.melodies.to_bytes())))
    again = melodies_in(tmp_path / "model.safetensors")
    assert again.tunes == index.melodies.tunes
    for one, other in zip(again.notes, index.melodies.notes, strict=True):
        assert one.tolist() == other.tolist()
    loaded = load(tmp_path / "model.safetensors")
    assert list(loaded.weights) == ["weight"]
    save(tmp_path / "again.safetensors", loaded.with_record(finished=True))
    assert melodies_in(tmp_path / "again.safetensors").tunes == index.melodies.tunes


@pytest.mark.parametrize(
    "data", [b"", b"nothing", lambda whole: whole[:-9], lambda whole: whole[:60] + b"!!" + whole[62:]]
)
def test_damaged_melodies(index, data, tmp_path):
    damaged = data if isinstance(data, bytes) else data(index.melodies.to_bytes())
    with pytest.raises(ValueError, match="damaged"):
        MelodyCollection.from_bytes(damaged)
    spec = SequenceSpec("tokens", 3, 0)
    broken = Checkpoint(
        Header("abc", 1, {}, {}, "lstm", {}, spec), {}, extra={"melodies": np.frombuffer(damaged, np.uint8)}
    )
    save(tmp_path / "model.safetensors", broken)
    with pytest.raises(CheckpointError, match="melodies in model"):
        melodies_in(tmp_path / "model.safetensors")


def test_packed_size():
    generator = random.Random(1)
    steps = [line([generator.choice([60, 62, 64, 65, 67, 69, 71]) for _ in range(64)]) for _ in range(100)]
    once = len(index_of(*steps).melodies.to_bytes())
    assert once < 64 * 100
    assert len(index_of(*steps, *steps).melodies.to_bytes()) < 2 * once


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll"])
def test_bundled_models_hold_their_melodies(representation):
    path = store.bundled(representation)
    known = melodies_in(path)
    assert len(known.tunes) >= 300
    assert len(known.to_bytes()) < 0.6 * len(known.notes.intervals)
    assert len(known.to_bytes()) < path.stat().st_size / 3
    assert all(tune.source.startswith("corpus:") for tune in known.tunes)


def test_large_collections_keep_the_first_tunes(index, monkeypatch):
    monkeypatch.setattr(melodies_module, "MAX_NOTES", 70)
    first = MelodyCollection.joined([index.melodies])
    assert ([tune.title for tune in first.tunes], first.left_out) == (["The Hare"], 2)
    assert MelodyCollection.joined([first, first]).left_out == 5


def test_joined_parts_equal_the_whole(index):
    representation, pieces = tunes(f"{HARE}\n{FIELD}\n{RISING}", "/home/me/tunes.abc")
    parts = [
        melodies_of(pieces[:1], representation),
        melodies_of([], representation),
        melodies_of(pieces[1:], representation),
    ]
    assert MelodyCollection.joined(parts).to_bytes() == index.melodies.to_bytes()


def test_bars_follow_the_meter():
    score = line(range(60, 72))
    in_three = Score(score.parts, meters=(Meter(Fraction(0), 3, 4),), pickup=Fraction(1))
    assert contour(in_three).bars.tolist() == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4]
