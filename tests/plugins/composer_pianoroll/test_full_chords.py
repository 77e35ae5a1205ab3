"""Chords on beats have three pitch classes if those of the training data do."""

import pytest

from composer.api import GenerationContext, OptionError, Piece, Unsatisfiable
from composer.api.testing.constraints import check_controls
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions, Roll
from composer_pianoroll.full_chords import FullChordGuard, thin_chords, thin_weight
from composer_pianoroll.rules import Rules
from composer_pianoroll.shares import log_weight
from composer_pianoroll.voice_leading import FAULT

TRIAD, OCTAVE, SIXTH = (48, 64, 67), (48, 60, 72), (52, 60)


def piece(*chords, pickup="", steps=2):
    """Return a piece with a chord per beat; with a pickup of half a beat, it begins with half of the first."""
    short = steps // 2 if pickup else 0
    notes = [
        GridNote(max(steps * beat - short, 0), pitch, steps - short * (not beat))
        for beat, chord in enumerate(chords)
        for pitch in chord
    ]
    labels = {"meter": "2/4"} | ({"pickup": pickup} if pickup else {})
    return Piece(Roll.from_notes(steps * len(chords) - short, notes), labels=labels)


FULL, THIN = piece(*[TRIAD] * 8), piece(TRIAD, OCTAVE, TRIAD, SIXTH)


def fitted(*pieces, **options):
    found = Pianoroll(PianorollOptions(range="40-72", steps=2, positions=True, **options))
    found.fit(pieces)
    return found


def guarded(found, context=None, **controls):
    """Whether a constraint without those against parallels and for the last chord is for full chords."""
    rules = GenerationContext(rules=Rules.FULL_CHORDS) if context is None else context
    return isinstance(
        found.constraint(PianorollControls(parallels="allow", returns="none", **controls), rules), FullChordGuard
    )


def test_thin_chords_on_beats():
    assert [*thin_chords(THIN.content, 0, 2)] == [False, True, False, True]
    assert [*thin_chords(piece(TRIAD, (), TRIAD).content, 0, 2)] == [False, True, False], "silence"
    held = Roll.from_notes(6, [GridNote(1, 48, 5), GridNote(0, 60, 3), GridNote(2, 64, 1), GridNote(3, 67, 3)])
    assert [*thin_chords(held, 0, 2)] == [True, True, True]
    assert [*thin_chords(held, 1, 2)] == [True, True, True]
    assert [*thin_chords(Roll(0, b""), 0, 2)] == []


def test_the_share_of_thin_chords_in_the_training_data():
    assert fitted(THIN).state()["thin_chords"] == 0.5
    assert fitted(THIN, FULL, stack=2).state()["thin_chords"] == pytest.approx(2 / 12, abs=1e-4)
    assert fitted(piece(OCTAVE, TRIAD, SIXTH, pickup="1/2")).state()["thin_chords"] == 0.5, "those after the pickup"


def test_full_chords_are_preferred_if_they_are_usual_in_the_training_data():
    usual, rare = fitted(FULL), fitted(THIN)
    again = Pianoroll(usual.options)
    again.restore(usual.state())
    assert guarded(usual)
    assert guarded(again)
    assert not guarded(rare)
    assert guarded(rare, chords="full")
    assert not guarded(usual, chords="any")
    assert not guarded(usual, max_notes=2)
    assert not guarded(usual, onsets="2")
    assert guarded(fitted(piece(SIXTH, SIXTH, (48,), SIXTH)), chords="full"), "the usual maximum of notes gives way"
    tune = GenerationContext(tune=THIN, rules=Rules.FULL_CHORDS)
    assert not guarded(usual, tune, keep_voices="top")
    assert guarded(usual, tune, keep_voices="top", chords="full")
    assert not guarded(usual, GenerationContext(rules=Rules.APPROACHES)), "older pieces are reproduced"


@pytest.mark.parametrize("share", [None, 0.0, 0.1, 0.24, 0.25, 1.0])
def test_full_chords_that_are_asked_for_have_the_same_weight_whatever_the_training_data(share):
    assert thin_weight("full", Rules.FULL_CHORDS, share, has_room=True) == FAULT
    assert thin_weight("any", Rules.FULL_CHORDS, share, has_room=True) == 0
    usual = thin_weight("", Rules.FULL_CHORDS, share, has_room=True)
    assert usual == (log_weight(share) if share is not None else 0)


@pytest.mark.parametrize("options", [{}, {"stack": 2}, {"onsets": False}], ids=str)
def test_only_thin_chords_on_beats_have_a_weight(options):
    found = fitted(FULL, **options)
    short = piece(TRIAD, OCTAVE, TRIAD, pickup="1/2")
    for each, faults in ((FULL, 0), (THIN, 2), (short, 1 + ("stack" in options))):  # whose last step is silent
        context = GenerationContext(plan=found.plan(each), rules=Rules.FULL_CHORDS)
        guard = found.constraint(PianorollControls(parallels="allow", returns="none"), context)
        state, total = guard.start(()), 0.0
        for frame in found.layout.frames(each.content):
            total += guard.log_weight(state, frame)
            state = guard.step(state, frame)
        assert total == pytest.approx(faults * FAULT)


@pytest.mark.parametrize("damaged", ["x", True, -0.1, 1.5])
def test_a_damaged_share_is_refused(damaged):
    with pytest.raises(ValueError, match=r"the share of thin chords is .*, not a number from 0 to 1"):
        fitted(FULL).restore({"thin_chords": damaged})


def test_a_bad_choice():
    with pytest.raises(OptionError, match="invalid value for --chords: 'thick'"):
        PianorollControls(chords="thick")


@pytest.mark.parametrize(
    ("controls", "error", "hint"),
    [
        ({"max_notes": 2}, "--chords full contradicts --max-notes 2", "use --max-notes 3 or more"),
        ({"onsets": "2"}, "--chords full and --onsets cannot be used together", "leave out --chords"),
        ({"sustained": "2"}, "--chords full and --sustained cannot be used together", "leave out --chords"),
        ({"density": "2"}, "--chords full and --density cannot be used together", "leave out --chords"),
    ],
)
def test_full_chords_that_others_rule_out_are_refused(controls, error, hint):
    with pytest.raises(OptionError, match=f"^{error}$") as caught:
        PianorollControls(chords="full", **controls)
    assert caught.value.hint == hint
    assert PianorollControls(**controls)


@pytest.mark.parametrize(
    ("controls", "error", "hint"),
    [
        (
            {"max_onsets": 1, "max_sustained": 1},
            "--chords full contradicts --max-onsets 1 and --max-sustained 1: a chord has 3 notes",
            "use --max-sustained 2 or more",
        ),
        (
            {"range": "C4-C#4"},
            "--chords full contradicts --range C4-C#4: no chord of 3 different notes has only such notes",
            "leave out --chords",
        ),
        (
            {"range": "C4-D4", "key": "C"},
            "--chords full contradicts --range C4-D4 and --key C: no chord of 3 different notes has only such notes",
            "leave out --chords",
        ),
        (
            {"range": "C4-E4", "chords": "", "phrase_ends": "triads"},
            "--phrase-ends triads contradicts --range C4-E4: no triad has only such notes",
            "leave out --phrase-ends",
        ),
    ],
    ids=str,
)
def test_full_chords_that_the_limits_do_not_allow_are_refused(controls, error, hint):
    found, wanted = fitted(FULL), PianorollControls(**{"chords": "full", **controls})
    with pytest.raises(Unsatisfiable) as caught:
        found.plans(wanted, GenerationContext())
    assert (caught.value.message, caught.value.hint) == (error, hint)
    if not wanted.phrase_ends:
        assert found.plans(wanted, GenerationContext(rules=Rules.ROOM_FOR_CHORDS - 1)), "older pieces are reproduced"
    assert found.plans(PianorollControls(**{**controls, "phrase_ends": ""}), GenerationContext())


@pytest.mark.parametrize("controls", [{"max_onsets": 2, "max_sustained": 1}, {"max_onsets": 1}, {"range": "C4-D4"}])
def test_limits_that_full_chords_have_room_in(controls):
    assert fitted(FULL).plans(PianorollControls(chords="full", **controls), GenerationContext())


def test_the_limits_of_new_notes_do_not_rule_out_full_chords_in_a_tune():
    wanted = PianorollControls(chords="full", range="C4-C#4", keep_voices="top")
    assert fitted(FULL).plans(wanted, GenerationContext(tune=FULL))


@pytest.mark.parametrize("controls", [{"max_onsets": 1, "max_sustained": 1}, {"range": "C4-C#4"}], ids=str)
def test_full_chords_give_way_to_limits_that_do_not_allow_them(controls):
    found, newer = fitted(FULL), GenerationContext(rules=Rules.ROOM_FOR_CHORDS)
    found.restore({**found.state(), "last_chord": None})
    assert guarded(found, **controls), "in older pieces"
    assert guarded(found, newer)
    assert not guarded(found, newer, **controls)


def test_full_chords_need_positions():
    found = Pianoroll(PianorollOptions(range="40-72", steps=2))
    assert found.plans(PianorollControls(chords="any"), GenerationContext()) == {}
    for context in (GenerationContext(), GenerationContext(tune=THIN)):
        with pytest.raises(Unsatisfiable, match="--chords full needs a model with positions"):
            found.plans(PianorollControls(chords="full"), context)


def test_the_contract_of_constraints():
    check_controls(fitted(FULL), [FULL, THIN], PianorollControls(parallels="allow"))
