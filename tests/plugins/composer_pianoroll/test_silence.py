"""Pieces begin with a note, and all voices rest for two beats at most, if silence is rare in the training data."""

import pytest
from roll_walks import walk

from composer.api import GenerationContext, Piece
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.rules import Rules

STEPS = 2
"""Per beat, so all voices rest for four steps at most."""
CHORD = (48, 52, 55)
NOTE, REST = (0,), ()


def piece(*chords):
    """Return a piece with a chord in each beat."""
    notes = [GridNote(STEPS * beat, pitch, STEPS) for beat, chord in enumerate(chords) for pitch in chord]
    return Piece(Roll.from_notes(STEPS * len(chords), notes), labels={"meter": "4/4"})


FULL = piece(*[CHORD] * 8)


def fitted(thin=0.04, **options):
    found = Pianoroll(PianorollOptions(range="48-55", steps=STEPS, positions=True, **options))
    found.fit([FULL])
    found.restore({**found.state(), "thin_chords": thin, "last_chord": None})
    return found


def constraint(found, primer=(), rules=None, tune=None, **controls):
    chosen = PianorollControls(parallels="allow", chords="any", returns="none", **controls)
    return found.constraint(chosen, GenerationContext(plan="4/4,4", primer=primer, rules=rules, tune=tune))


def must_sound(rolls, *frames):
    """Return whether a note must sound after these frames."""
    return any(limit.min_active for limit in rolls.allowed(rolls.start(frames)).limits)


def test_silence_has_a_longest_length():
    rolls = constraint(fitted())
    assert must_sound(rolls), "at the start"
    assert not must_sound(rolls, NOTE)
    assert not must_sound(rolls, NOTE, *[REST] * 3)
    assert must_sound(rolls, NOTE, *[REST] * 4)
    assert must_sound(rolls, NOTE, *[REST] * 9)
    assert not must_sound(rolls, NOTE, *[REST] * 4, NOTE, REST)
    assert must_sound(rolls, REST), "a primer of rests is no start"


def test_steps_of_stacked_frames_count():
    found = fitted(stack=2)
    first, last = NOTE, (found.layout.units_per_step,)
    rolls = constraint(found)
    assert must_sound(rolls)
    assert not must_sound(rolls, last, REST)
    assert must_sound(rolls, last, REST, REST)
    assert not must_sound(rolls, first, REST), "three steps"
    assert must_sound(rolls, first, REST, REST)


@pytest.mark.parametrize(
    ("thin", "given"),
    [
        (0.25, {}),
        (None, {}),
        (0.04, {"rules": Rules.NO_LONG_SILENCE - 1}),
        (0.04, {"density": "0.5"}),
        (0.04, {"onsets": "0-1"}),
        (0.04, {"min_notes": 0}),
        (0.04, {"tune": FULL, "keep_bars": "2"}),
    ],
    ids=str,
)
def test_it_gives_way(thin, given):
    """To training data of thinner music, older pieces, numbers of notes that are asked for, and a tune."""
    assert not must_sound(constraint(fitted(thin), **given))


@pytest.mark.parametrize("options", [{}, {"onsets": False}, {"stack": 2}], ids=str)
@pytest.mark.parametrize("given", [{}, {"max_notes": 1}], ids=str)
def test_random_pieces_have_no_long_silence(options, given):
    found = fitted(**options)
    rolls, stack = constraint(found, **given), found.layout.stack
    for seed in range(20):
        frames = walk(rolls, found.spec.size, 32 // stack, seed)
        sounds = [bool(found.layout.sounding(frame, step)) for frame in frames for step in range(stack)]
        assert sounds[0]
        longest = max(map(len, "".join(" x"[sound] for sound in sounds).split("x")))
        assert longest <= 2 * STEPS + stack - 1, "silence within a frame may be longer"


def test_the_contract_of_constraints():
    check_controls(fitted(), [FULL], PianorollControls(bars=2))
