"""Notes as arrays and packed integers agree with single notes."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.formats.midi.beats import beats
from composer.formats.midi.ticks import validate
from composer.formats.midi.tracks import MidiFile, Track, in_order
from composer.toolkit.representations.note_arrays import NoteArrays, numbers_to_bytes, quantize_tracks
from composer.toolkit.representations.quantize import MAX_STEPS, OFFGRID, GridNote, NotEncodable, quantize_voices

DIVISION = 24
grids = st.lists(st.builds(GridNote, st.integers(0, 2**20), st.integers(0, 127), st.integers(1, 2**20)))
rows = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60), st.integers(55, 65)), min_size=1)


def music(*tracks):
    """Return a MIDI file with tracks of (start, length, pitch)."""
    notes = [np.array([(start, start + length, pitch, 80) for start, length, pitch in track]) for track in tracks]
    file = MidiFile(DIVISION, np.concatenate(notes), tracks=[Track("", 0, False, each) for each in notes])
    validate(file, "a.mid", pedal=False)
    return file


def error_of(work):
    """Return the error message of `work` for music that does not fit the grid, or an empty string."""
    try:
        work()
    except NotEncodable as error:
        return error.message
    return ""


@given(grids)
def test_packed_integers_are_sorted_by_pitch(notes):
    numbers = NoteArrays.from_notes(notes).as_numbers()
    arrays = NoteArrays.from_bytes(numbers_to_bytes(numbers))
    assert list(arrays.as_notes()) == sorted(notes)
    rows = list(zip(*(arrays.pitches.tolist(), arrays.starts.tolist(), arrays.lengths.tolist()), strict=True))
    assert rows == sorted(rows)


@given(
    st.lists(rows, min_size=1, max_size=3),
    st.sampled_from([1, 2, 3, 4, 5, Fraction(3, 2), Fraction(1, 4)]),
    st.sampled_from(sorted(OFFGRID)),
    st.sampled_from([(0, 127), (57, 62), (100, 108)]),
)
def test_quantizing_arrays_agrees_with_single_notes(tracks, steps, offgrid, pitches):
    file = music(*tracks)
    lowest, highest = pitches
    voices = [
        [note for note in beats(in_order(track.notes), DIVISION) if lowest <= note.pitch <= highest]
        for track in file.tracks
    ]
    error_message = error_of(lambda: quantize_voices(voices, steps, offgrid))
    assert error_message == error_of(lambda: quantize_tracks(file, file.parts, steps, offgrid, lowest, highest))
    if error_message:
        return
    quantized, losses = quantize_voices(voices, steps, offgrid)
    columns, lost, in_range = quantize_tracks(file, file.parts, steps, offgrid, lowest, highest)
    assert sorted(columns.as_notes()) == quantized
    assert (lost, in_range) == (losses, sum(map(len, voices)))


@pytest.mark.parametrize("lengths", [[MAX_STEPS + 1], [MAX_STEPS // 2 + 1] * 2])
def test_too_many_steps(lengths):
    file = music([(0, length, 60) for length in lengths])
    with pytest.raises(NotEncodable, match="too long for the grid"):
        quantize_tracks(file, file.parts, DIVISION, "round")
    assert quantize_tracks(file, file.parts, Fraction(1, 4), "round")[2] == len(lengths)
