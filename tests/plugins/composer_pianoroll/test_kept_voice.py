"""Keep one voice of a roll and generate the others."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roll_walks import walk

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.kept_voice.constraint import voice_of
from composer_pianoroll.rules import Rules

CHORALE = [GridNote(0, 67, 4), GridNote(0, 64, 8), GridNote(0, 60, 4), GridNote(4, 69, 4), GridNote(4, 61, 4),
           GridNote(10, 67, 2), GridNote(12, 67, 4), GridNote(10, 62, 6)]  # fmt: skip
"""Two beats of three voices, a rest, and two notes above a bass."""


def tune(notes=CHORALE, **more):
    return Piece(Roll.from_notes(16, notes), **more)


def constraint_of(which, piece=None, options="60-71", **controls):
    pianoroll = Pianoroll(options if isinstance(options, PianorollOptions) else PianorollOptions(range=options))
    chosen = PianorollControls(keep_voices=which, **controls)
    return pianoroll, pianoroll.constraint(chosen, GenerationContext(tune=piece or tune()))


@pytest.mark.parametrize(
    ("which", "voice"),
    [
        ("top", [(0, 67, 4), (4, 69, 4), (10, 67, 2), (12, 67, 4)]),
        ("1", [(0, 67, 4), (4, 69, 4), (10, 67, 2), (12, 67, 4)]),
        ("2", [(0, 64, 8), (10, 62, 6)]),
        ("3", [(0, 60, 4), (4, 61, 4)]),
        ("bass", [(0, 60, 4), (4, 61, 4), (10, 62, 6)]),
    ],
)
def test_voices_of_a_roll(which, voice):
    assert voice_of(tune().content, which) == [GridNote(*note) for note in voice]


def test_a_voice_has_one_note_at_a_time():
    roll = Roll.from_notes(8, [GridNote(0, 60, 8), GridNote(2, 64, 2), GridNote(6, 62, 2)])
    assert voice_of(roll, "top") == [GridNote(0, 60, 2), GridNote(2, 64, 2), GridNote(6, 62, 2)]


@settings(deadline=None)
@given(
    st.sampled_from(["top", "bass", "2"]),
    st.sampled_from([1, 2, 4]),
    st.sampled_from([0, 1, 3]),
    st.sampled_from(["", "C"]),
    st.integers(0, 2**32 - 1),
)
def test_the_voice_stays_whatever_the_others_are(which, stack, max_notes, key, seed):
    options = PianorollOptions(range="60-71", stack=stack)
    pianoroll, constraint = constraint_of(which, options=options, max_notes=max_notes, key=key)
    frames = walk(constraint, pianoroll.spec.size, 16 // stack, seed)
    notes = pianoroll.decode(frames).content.notes
    voice = voice_of(tune().content, which)
    assert set(voice) <= set(notes)
    others = set(notes) - set(voice)
    if max_notes == 1 and which != "2":
        assert not any(note.start < own.start + own.length and own.start < note.start + note.length
                       for note in others for own in voice)  # fmt: skip
    for note in others:
        assert not key or note.pitch % 12 in {0, 2, 4, 5, 7, 9, 11}
        for own in voice:
            if note.start < own.start + own.length and own.start < note.start + note.length:
                assert note.pitch != own.pitch
                assert which != "top" or note.pitch < own.pitch
                assert which != "bass" or note.pitch > own.pitch


def test_kept_bars_stay_as_a_whole():
    long = Piece(Roll.from_notes(32, [*CHORALE, *(note._replace(start=note.start + 16) for note in CHORALE)]))
    pianoroll, constraint = constraint_of("top", long, keep_bars="1")
    frames = walk(constraint, pianoroll.spec.size, 32, 1)
    assert frames[:16] == pianoroll.encode(long)[:16]
    assert frames[16:] != pianoroll.encode(long)[16:]
    assert [constraint.fixed_step(state) for state in states(constraint, frames)] == [*range(16), *[None] * 16]


def states(constraint, frames):
    state = constraint.start(())
    for frame in frames:
        yield state
        state = constraint.step(state, frame)


@pytest.mark.parametrize("text", ["soprano", "0", "21", "-1", "1.5"])
def test_unknown_voices(text):
    with pytest.raises(OptionError, match=f"invalid value for --keep-voices: '{text}'"):
        PianorollControls(keep_voices=text)


@pytest.mark.parametrize(
    ("which", "piece", "controls", "words"),
    [
        ("4", tune(), {}, "the tune has no voice 4: at most 3 notes sound at once"),
        ("top", tune(losses={"notes out of range left out": 2}), {}, "2 notes of the tune cannot be kept: the model's"),
        ("top", tune(), {"density": "2"}, "--keep-voices and --density"),
        ("top", tune(), {"bars": 2}, "--keep-voices top contradicts --bars 2"),
        ("top", replace(tune(), labels={"meter": "3/4"}), {"meter": "4/4"}, "--keep-voices top contradicts --meter"),
    ],
)
def test_conflicts(which, piece, controls, words):
    with pytest.raises(Unsatisfiable, match=words):
        constraint_of(which, piece, **controls)


def test_the_hint_names_a_voice_that_the_tune_has():
    with pytest.raises(Unsatisfiable) as caught:
        constraint_of("4", tune())
    assert caught.value.hint == "use --keep-voices 3"


@pytest.mark.parametrize("options", [{}, {"onsets": False}, {"stack": 4}], ids=str)
@pytest.mark.parametrize("controls", [{}, {"min_notes": 1}], ids=str)
@pytest.mark.parametrize("which", ["top", "bass"])
def test_a_voice_is_alone_if_one_note_may_sound_at_once(which, controls, options):
    """Also while it rests: from 4, within a stacked frame from 10, and at the end."""
    resting = tune([GridNote(0, 65, 4), GridNote(8, 65, 2), GridNote(12, 67, 3)])
    chosen = PianorollOptions(range="60-71", **options)
    pianoroll, constraint = constraint_of(which, resting, chosen, max_notes=1, **controls)
    frames = walk(constraint, pianoroll.spec.size, 16 // chosen.stack, 1)
    assert frames == pianoroll.encode(resting)
    old = GenerationContext(tune=resting, rules=Rules.RESTING_VOICE - 1)
    constraint = pianoroll.constraint(PianorollControls(keep_voices=which, max_notes=1), old)
    assert walk(constraint, pianoroll.spec.size, 16 // chosen.stack, 1) != frames


def test_a_voice_that_rests_counts_as_one_of_the_notes_at_once():
    resting = tune([GridNote(0, 69, 4), GridNote(8, 69, 8)])
    for rules, least in ((Rules.RESTING_VOICE - 1, 3), (Rules.RESTING_VOICE, 2)):
        context = GenerationContext(tune=resting, rules=rules)
        controls = PianorollControls(keep_voices="top", min_notes=3, max_notes=3)
        pianoroll = Pianoroll(PianorollOptions(range="60-71"))
        frames = walk(pianoroll.constraint(controls, context), pianoroll.spec.size, 16, 1)
        assert [len(frame) for frame in frames] == [3] * 4 + [least] * 4 + [3] * 8
