"""Parallels of the outer voices: measured in the training data, and kept out if they are rare there."""

from dataclasses import replace
from math import log

import pytest

from composer.api import GenerationContext, OptionError, Piece
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.frames import Layout
from composer_pianoroll.parallels import ParallelsGuard, parallels_weight, share_of_parallels
from composer_pianoroll.rules import LATEST, Rules
from composer_pianoroll.voice_leading import FAULT


def piece(*chords):
    """Return a piece with a chord per beat."""
    notes = [GridNote(2 * beat, pitch, 2) for beat, chord in enumerate(chords) for pitch in chord]
    return Piece(Roll.from_notes(2 * len(chords), notes), labels={"meter": "2/4"})


CONTRARY = piece((48, 64), (50, 62), (48, 64), (47, 67))
PARALLEL = piece((48, 55), (50, 57), (48, 60), (50, 62))
OPTIONS = PianorollOptions(range="40-70", steps=2, positions=True)


def fitted(*pieces):
    found = Pianoroll(OPTIONS)
    found.fit(pieces)
    return found


def guarded(found, rules=None, **controls):
    context = GenerationContext(rules=rules)
    return isinstance(found.constraint(PianorollControls(**controls), context), ParallelsGuard)


def test_share_of_the_moves_of_both_voices():
    roll = Pianoroll(OPTIONS)
    assert share_of_parallels(roll.layout, [roll.prime(CONTRARY)]) == 0
    assert share_of_parallels(roll.layout, [roll.prime(PARALLEL)]) == pytest.approx(2 / 3, abs=1e-4)
    assert share_of_parallels(roll.layout, [roll.prime(piece((48,), (50,)))]) is None
    assert fitted(CONTRARY, replace(PARALLEL, is_variant=True)).state()["parallels"] == 0
    assert "parallels" not in fitted(piece((48,), (50,))).state()


def test_they_are_avoided_if_the_training_data_avoids_them():
    rare, usual = fitted(CONTRARY), fitted(PARALLEL)
    again = Pianoroll(OPTIONS)
    again.restore(rare.state())
    assert guarded(rare)
    assert guarded(again)
    assert not guarded(usual)
    assert guarded(usual, parallels="avoid")
    assert not guarded(rare, parallels="allow")
    assert not guarded(rare, rules=1), "older pieces are reproduced"
    with pytest.raises(OptionError, match="--parallels: 'no'"):
        PianorollControls(parallels="no")
    with pytest.raises(OptionError, match="--parallels and --voice-leading cannot be used together"):
        PianorollControls(parallels="avoid", keep_voices="top", voice_leading=True)


@pytest.mark.parametrize(
    ("share", "rules", "choice", "weight"),
    [
        (0.005, LATEST, "", FAULT),
        (0.03, LATEST, "", log(0.25)),
        (0.15, LATEST, "", 0),
        (None, LATEST, "", 0),
        (0.03, LATEST, "avoid", FAULT),
        (None, LATEST, "avoid", FAULT),
        (0.005, LATEST, "allow", 0),
        (0.019, Rules.PARALLELS_AS_IN_DATA - 1, "", FAULT),
        (0.03, Rules.PARALLELS_AS_IN_DATA - 1, "", 0),
        (0.03, Rules.PARALLELS_AS_IN_DATA - 1, "avoid", FAULT),
        (0.005, Rules.FIRST, "avoid", 0),
    ],
)
def test_the_fewer_the_training_data_has_the_lower_is_their_weight(share, rules, choice, weight):
    assert parallels_weight(choice, rules, share) == pytest.approx(weight)


def test_the_training_data_sets_the_weight():
    found = fitted(CONTRARY)
    found.restore({**found.state(), "parallels": 0.03, "thin_chords": None, "last_chord": None})
    guard = found.constraint(PianorollControls(chords="any"), GenerationContext(plan="2/4,2"))
    first, second = found.prime(piece((48, 55), (50, 57)))[1:3]
    assert guard.log_weight(guard.start((first,)), second) == pytest.approx(log(0.25))


@pytest.mark.parametrize("damaged", ["x", [1], True, -0.1, 1.5, float("nan")])
def test_a_damaged_share_is_refused(damaged):
    with pytest.raises(ValueError, match=r"the share of parallels is .*, not a number from 0 to 1"):
        fitted(CONTRARY).restore({"parallels": damaged})


@pytest.mark.parametrize("stack", [1, 2])
def test_weights(stack):
    layout = Layout(40, 70, stack=stack)
    roll = Pianoroll(PianorollOptions(range="40-70", steps=2, stack=stack))
    guard = roll.constraint(PianorollControls(parallels="avoid"))
    for found, factors in ((CONTRARY, 0), (PARALLEL, 2), (piece((48, 55), (), (50, 57)), 0)):
        state, total = guard.start(()), 0.0
        for frame in layout.frames(found.content):
            total += guard.log_weight(state, frame)
            state = guard.step(state, frame)
        assert total == pytest.approx(factors * FAULT)
    primed = guard.start(roll.prime(piece((48, 55))))
    assert guard.log_weight(primed, roll.prime(piece((50, 57)))[0]) == pytest.approx(FAULT)


@pytest.mark.parametrize("stack", [1, 2])
@pytest.mark.parametrize(("rules", "faults"), [(None, 2), (Rules.PARALLELS_ON_BEATS - 1, 1)])
def test_parallels_from_beat_to_beat(rules, faults, stack):
    """The passing note hides the first ones, which pieces of older rules have; the others follow each other."""
    chords = ((48, 55), (48, 59), (50, 57), (50, 57), (52, 59), (52, 60))
    notes = [GridNote(step, pitch, 1) for step, chord in enumerate(chords) for pitch in chord]
    found = Pianoroll(replace(OPTIONS, stack=stack))
    guard = found.constraint(PianorollControls(parallels="avoid"), GenerationContext(plan="3/4,1", rules=rules))
    state, total = guard.start(()), 0.0
    for frame in found.layout.frames(Roll.from_notes(6, notes)):
        total += guard.log_weight(state, frame)
        state = guard.step(state, frame)
    assert total == pytest.approx(faults * FAULT)


def test_the_contract_of_constraints():
    check_controls(fitted(CONTRARY), [CONTRARY, PARALLEL], PianorollControls(bars=2))
