"""Phrases end with whole triads if those of the training data do."""

from dataclasses import replace

import pytest

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.phrase_ends import (
    OTHER_APPROACH,
    PhraseEndGuard,
    approaches,
    has_triad,
    is_dominant,
    is_whole_triad,
    steps_before,
)
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import RARE, log_weight, log_weights, shares_of
from composer_pianoroll.voice_leading import FAULT

MAJOR, MINOR, OPEN, INVERTED, SEVENTH = (48, 64, 67), (50, 65, 69), (48, 55, 60), (52, 60, 67), (48, 64, 67, 70)


def piece(*chords, fermatas="1 3"):
    """Return a piece with a chord per beat."""
    notes = [GridNote(2 * beat, pitch, 2) for beat, chord in enumerate(chords) for pitch in chord]
    labels = {"meter": "2/4"} | ({"fermatas": fermatas} if fermatas else {})
    return Piece(Roll.from_notes(2 * len(chords), notes), labels=labels)


TRIADS, OTHERS = piece(SEVENTH, MAJOR, OPEN, MINOR), piece(MAJOR, OPEN, MAJOR, SEVENTH)


def fitted(*pieces, **options):
    found = Pianoroll(PianorollOptions(range="40-72", steps=2, positions=True, **options))
    found.fit(pieces)
    return found


def guarded(found, context=None, rules=Rules.APPROACHES, **controls):
    """Whether a constraint without those against parallels, for full chords and the last one is for phrase ends."""
    free = PianorollControls(parallels="allow", chords="any", **controls)
    constraint = found.constraint(free, replace(context or GenerationContext(), rules=rules))
    return isinstance(constraint, PhraseEndGuard)


@pytest.mark.parametrize(
    ("chord", "whole"),
    [(MAJOR, True), (MINOR, True), ((48, 52, 55, 60), True), (OPEN, False), (INVERTED, False), (SEVENTH, False),
     ((48,), False), ((), False)],
)  # fmt: skip
def test_whole_triads(chord, whole):
    assert is_whole_triad(chord) is whole


@pytest.mark.parametrize(
    ("pitches", "has"), [(MAJOR, True), ((48, 50, 55, 63), True), (INVERTED, False), ((60, 63), False), ((), False)]
)
def test_pitches_that_have_a_triad(pitches, has):
    assert has_triad(pitches) is has


def test_the_share_of_triads_where_phrases_of_the_training_data_end():
    state = fitted(TRIADS, OTHERS, OTHERS, replace(TRIADS, is_variant=True)).state()
    assert state["triads"] == pytest.approx(1 / 3, abs=1e-4)
    assert fitted(TRIADS, stack=2).state()["triads"] == 1
    assert "triads" not in fitted(piece(MAJOR, fermatas="")).state()


def test_they_are_preferred_if_they_are_usual_in_the_training_data():
    usual, rare = fitted(TRIADS), fitted(OTHERS)
    again = Pianoroll(usual.options)
    again.restore(usual.state())
    assert guarded(usual)
    assert guarded(again)
    assert not guarded(rare)
    assert guarded(rare, phrase_ends="triads")
    assert not guarded(usual, phrase_ends="any")
    assert not guarded(usual, max_notes=2)
    assert not guarded(usual, rules=Rules.TEXTURE), "older pieces are reproduced"
    for impossible in ({"max_onsets": 1, "max_sustained": 1}, {"range": "C4-E4"}):
        assert guarded(usual, **impossible), "older pieces are reproduced"
        assert not guarded(usual, rules=Rules.ROOM_FOR_CHORDS, **impossible)
    assert not guarded(usual, GenerationContext(plan="2/4,2")), "it is unknown where the phrases end"


@pytest.mark.parametrize("controls", [{"keep_bars": "1"}, {"keep_voices": "top"}])
def test_the_phrases_of_a_tune_that_is_filled_in_count(controls):
    usual = fitted(TRIADS)
    assert guarded(usual, GenerationContext(tune=OTHERS), **controls)
    assert not guarded(usual, GenerationContext(tune=replace(OTHERS, labels={"meter": "2/4"})), **controls)


@pytest.mark.parametrize("stack", [1, 2])
def test_only_the_chords_that_end_phrases_have_a_weight(stack):
    found = fitted(TRIADS, stack=stack)
    for each, faults in ((TRIADS, 0), (OTHERS, 2), (piece(OPEN, INVERTED, OPEN, MAJOR), 1)):
        assert total_weight(found, each, Rules.PHRASE_ENDS) == pytest.approx(faults * FAULT)


def total_weight(found, tune, rules, *, is_tune=False):
    context = GenerationContext(plan=found.plan(tune), tune=tune if is_tune else None, rules=rules)
    guard = found.constraint(PianorollControls(parallels="allow"), context)
    state, total = guard.start(()), 0.0
    for frame in found.layout.frames(tune.content):
        total += guard.log_weight(state, frame)
        state = guard.step(state, frame)
    return total


def test_a_chord_with_which_two_phrases_end_has_one_weight():
    found = fitted(TRIADS)
    context = GenerationContext(plan="2/4,2,,,3 13/4", rules=Rules.ADAPTED_PHRASES)
    guard = found.constraint(PianorollControls(parallels="allow", chords="any", returns="none"), context)
    frames = [*found.layout.frames(piece(SEVENTH, MAJOR, MAJOR, OPEN).content)]
    before = guard.start(frames[:6])
    assert guard.log_weight(before, frames[6]) == pytest.approx(FAULT + log_weights(found.state()["approaches"])[0])


def test_intervals_by_which_the_bass_moves_to_the_ends_of_phrases():
    assert [*approaches(piece(SEVENTH, MAJOR, OPEN, MINOR).content, (2, 6))] == [0, 2]
    assert [*approaches(piece((55, 59, 62), MAJOR).content, (2,))] == [5], "down a fifth is up a fourth"
    assert [*approaches(piece((52,), (), MAJOR).content, (4,))] == [8], "before a rest"
    assert [*approaches(piece(MAJOR, MAJOR, ()).content, (0, 4))] == [], "nothing before it, or no chord"


@pytest.mark.parametrize(
    ("chord", "dominant"),
    [(MAJOR, True), (SEVENTH, True), ((48, 64, 70), True), (MINOR, False), (INVERTED, False), ((48, 64), False),
     ((), False)],
)  # fmt: skip
def test_chords_of_dominants(chord, dominant):
    assert is_dominant(chord) is dominant


@pytest.mark.parametrize("stack", [1, 2, 4])
def test_dominants_are_preferred_before_the_ends_of_phrases_if_they_are_usual_in_the_training_data(stack):
    found = fitted(piece(MAJOR, MAJOR, SEVENTH, MAJOR), piece(MINOR, MAJOR, MINOR, MAJOR), stack=stack)
    assert found.state()["dominants"] == 0.5
    first = piece(SEVENTH, MAJOR, MAJOR, MAJOR)
    for tune, others in ((first, 0), (piece(MINOR, MAJOR, MINOR, MAJOR), 4), (piece(MINOR, MAJOR, SEVENTH, MAJOR), 2)):
        weight = total_weight(found, tune, Rules.APPROACHES)
        assert weight == pytest.approx(others * OTHER_APPROACH), "in two steps of each beat"
    plain = piece(MINOR, MAJOR, MINOR, MAJOR)
    assert total_weight(found, plain, Rules.APPROACHES, is_tune=True) == 0, "not if the piece is infilled"
    rare = fitted(*[piece(MINOR, MAJOR, MINOR, MAJOR)] * 2)
    assert rare.state()["dominants"] == 0
    assert total_weight(rare, piece(MINOR, MAJOR, MINOR, MAJOR), Rules.APPROACHES) == 0


def test_the_second_half_of_a_beat_may_be_off_the_grid():
    assert steps_before([6, 12], 4) == [2, 4, 8, 10]
    assert steps_before([6, 12], 3) == [3, 9]


@pytest.mark.parametrize("stack", [1, 2])
def test_intervals_that_are_rare_in_the_training_data_have_a_weight(stack):
    fifths = piece(*[(55, 59, 62), MAJOR] * 40, fermatas=" ".join(map(str, range(1, 80, 2))))
    found = fitted(fifths, stack=stack)
    usual = found.state()["approaches"]
    assert usual == pytest.approx([41 / 52 if interval == 5 else 1 / 52 for interval in range(12)], abs=1e-4)
    assert total_weight(found, fifths, Rules.APPROACHES) == 0
    third = piece((52, 56, 59), MAJOR, (55, 59, 62), MAJOR)
    assert total_weight(found, third, Rules.APPROACHES) == pytest.approx(log_weights(usual)[8])
    assert FAULT < log_weights(usual)[8] < -1
    assert total_weight(found, third, Rules.PHRASE_ENDS) == 0, "older pieces are reproduced"
    again = Pianoroll(found.options)
    again.restore(found.state())
    assert again.state() == found.state()


def test_weights_of_shares():
    assert [log_weight(share) for share in (1, RARE)] == [0, 0]
    assert log_weight(RARE / 2) == pytest.approx(-0.693, abs=1e-3)
    assert log_weight(0) == log_weight(0.001) == FAULT
    assert shares_of([], 12) is None
    assert log_weights(shares_of([5, 7], 12)) == pytest.approx([0] * 12, abs=0.2), "two values say little"
    assert log_weights([0.6, 0.2, 0.15, 0.05]) == [0, *map(log_weight, (0.2, 0.15)), log_weight(0.05)]


@pytest.mark.parametrize("damaged", ["x", [0.5], [0.1] * 11 + ["x"], [0.1] * 11 + [None], [0.1] * 11 + [2], {}])
def test_damaged_approaches_are_refused(damaged):
    with pytest.raises(
        ValueError, match=r"the shares? of approaches (is|are) .*, not (12 numbers|a number) from 0 to 1"
    ):
        fitted(TRIADS).restore({"approaches": damaged})


@pytest.mark.parametrize("damaged", ["x", True, -0.1, 1.5])
def test_a_damaged_share_is_refused(damaged):
    with pytest.raises(ValueError, match=r"the share of triads is .*, not a number from 0 to 1"):
        fitted(TRIADS).restore({"triads": damaged})


@pytest.mark.parametrize(
    ("controls", "error"),
    [
        ({"phrase_ends": "chords"}, "invalid value for --phrase-ends: 'chords'"),
        ({"phrase_ends": "triads", "max_notes": 2}, "--phrase-ends triads contradicts --max-notes 2"),
    ],
)
def test_bad_choices(controls, error):
    with pytest.raises(OptionError, match=error):
        PianorollControls(**controls)


@pytest.mark.parametrize("found", [fitted(piece(MAJOR, fermatas="")), Pianoroll()])
def test_triads_need_a_model_that_knows_where_phrases_end(found):
    with pytest.raises(Unsatisfiable, match="does not know where phrases end"):
        found.plans(PianorollControls(phrase_ends="triads"), GenerationContext())


def test_a_tune_must_say_where_phrases_end_if_triads_are_asked_for():
    found, tune = fitted(TRIADS), replace(OTHERS, labels={"meter": "2/4"})
    wanted = PianorollControls(phrase_ends="triads", keep_voices="top")
    with pytest.raises(Unsatisfiable, match="the tune does not say where phrases end"):
        found.plans(wanted, GenerationContext(tune=tune))
    older = GenerationContext(tune=tune, rules=Rules.PARALLELS_ON_BEATS)
    assert found.plans(wanted, older) == found.plans(PianorollControls(keep_voices="top"), GenerationContext(tune=tune))
    assert found.plans(wanted, GenerationContext(tune=OTHERS))


def test_plans_with_phrase_ends_are_drawn_if_triads_are_asked_for():
    found = fitted(TRIADS, OTHERS, piece(MAJOR, MINOR, MAJOR, MAJOR, fermatas=""), piece(MAJOR, MAJOR, fermatas=""))
    wanted, context = PianorollControls(phrase_ends="triads"), GenerationContext()
    assert set(found.plans(None, context)) == {"2/4,2,,,1 3", "2/4,2", "2/4,1"}
    assert found.plans(wanted, context) == {"2/4,2,,,1 3": 2}
    assert found.plans(wanted, replace(context, rules=Rules.PARALLELS_ON_BEATS)) == found.plans(None, context)
    with pytest.raises(Unsatisfiable, match="no training piece of this form says where phrases end"):
        found.plans(replace(wanted, bars=1), context)


def test_the_contract_of_constraints():
    check_controls(fitted(TRIADS), [TRIADS, OTHERS], PianorollControls(parallels="allow"))
