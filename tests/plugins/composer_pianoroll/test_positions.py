"""Positions in rolls: counted from the plan, the same in training and generation; a piece ends with its plan."""

from dataclasses import replace
from fractions import Fraction

import pytest

from composer.api import GenerationContext, Key, Note, Part, Piece, Score, Unsatisfiable
from composer.api.testing import check_representation, source
from composer.formats import write
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions
from composer_pianoroll.rules import Rules

SMALL = {"range": "60-63", "steps": 2, "positions": True}


def score(beats, pitch=60):
    return Score((Part((Note(Fraction(0), pitch, Fraction(beats)),)),))


def roll(beats, **labels):
    piece = Pianoroll(PianorollOptions(**SMALL)).from_score(score(beats))
    return Piece(piece.content, source=f"a roll of {beats} beats", labels=labels)


def pianoroll(*pieces, **options):
    fitted = Pianoroll(PianorollOptions(**{**SMALL, **options}))
    fitted.fit(pieces)
    return fitted


def features(representation, piece):
    """Return the position, the bar and the bars left of each frame."""
    return list(representation.step_features(piece, representation.encode(piece)))


@pytest.mark.parametrize("stack", [1, 3])
def test_the_contract_holds(stack):
    files = [source(write("midi", score(beats, 50 + beats)), f"{beats}.mid") for beats in (3, 8, 9)]
    check_representation(Pianoroll, files, PianorollOptions(range="50-60", positions=True, stack=stack))


def test_frames_count_in_bars_of_the_meter_after_a_pickup():
    piece = roll("9/2", meter="2/4", pickup="1")
    assert pianoroll(piece).spec.features == {"position": 4, "bar": 4, "left": 3}
    assert features(pianoroll(piece), piece) == [
        (2, 0, 2), (3, 0, 2), (0, 1, 1), (1, 1, 1), (2, 1, 1), (3, 1, 1), (0, 2, 0), (1, 2, 0), (2, 2, 0)
    ]  # fmt: skip


def test_a_stacked_frame_has_the_position_of_its_first_step():
    piece = roll(8, meter="4/4")
    assert [position for position, _, _ in features(pianoroll(piece, stack=2), piece)] == [0, 1, 2, 3] * 2


def test_a_plan_has_the_length_to_the_frame():
    fitted = pianoroll(roll(8), roll("15/2"), roll("15/2"), roll("21/2", meter="3/4", pickup="1"))
    assert fitted.training_plans == {"3/4,4,1,1/2": 1, "4/4,2": 1, "4/4,2,,7/2": 2}
    other = Pianoroll(PianorollOptions(**SMALL))
    other.restore(fitted.state())
    assert (other.training_plans, other.spec) == (fitted.training_plans, fitted.spec)
    assert fitted.plan_labels("3/4,4,1,1/2") == {"meter": "3/4", "pickup": "1"}
    assert fitted.plan(roll(1, pickup="2")) == "4/4,1,,1", "no pickup as long as the piece"


def test_without_the_option_nothing_changes():
    plain = pianoroll(roll(8), positions=False)
    assert (plain.spec.features, plain.state(), plain.plan(roll(8))) == ({}, {}, None)
    assert plain.plans(None, GenerationContext()) == {}


@pytest.mark.parametrize("controls", [PianorollControls(), PianorollControls(density="1"), PianorollControls(bars=2)])
def test_a_piece_ends_with_its_plan_on_a_note(controls):
    fitted = pianoroll(roll("15/2"))
    constraint = fitted.constraint(controls, GenerationContext(plan="4/4,2,,7/2"))
    state, frames = constraint.start(()), 0
    while not constraint.ends(state):
        rule = constraint.allowed(state)
        state, frames = constraint.step(state, ()), frames + 1
    assert frames == 15
    assert any(limit.min_active == 1 for limit in rule.limits), "a note sounds in the last frame"


def test_plans_follow_the_controls():
    fitted = pianoroll(roll(8), roll(8), roll(9, meter="3/4"), roll(7, meter="3/4", pickup="1"))
    plans = fitted.plans
    assert plans(None, GenerationContext()) == {"3/4,2,1": 1, "3/4,3": 1, "4/4,2": 2}
    assert plans(PianorollControls(meter="3/4"), GenerationContext()) == {"3/4,2,1": 1, "3/4,3": 1}
    assert plans(PianorollControls(meter="3/4", bars=2), GenerationContext()) == {"3/4,2,1": 1}
    assert plans(PianorollControls(bars=5), GenerationContext()) == {"3/4,5": 1, "3/4,5,1": 1, "4/4,5": 2}, "adapted"
    assert plans(PianorollControls(meter="2/4"), GenerationContext()) == {"2/4,2": 2, "2/4,2,1": 1, "2/4,3": 1}
    assert plans(None, GenerationContext(length=15)) == {"3/4,2,1": 1}
    shorter = {"3/4,1,,5/2": 1, "3/4,1,1,3/2": 1, "4/4,1,,5/2": 2}
    assert plans(None, GenerationContext(length=5)) == shorter, "shorter than any training piece"


@pytest.mark.parametrize("bars", [3, 5])
def test_bars_are_in_the_meter_of_the_training_pieces(bars):
    fitted, controls = pianoroll(roll(9, meter="3/4"), roll(9, meter="3/4")), PianorollControls(bars=bars)
    assert fitted.plans(controls, GenerationContext()) == {f"3/4,{bars}": 2}
    assert fitted.max_steps(controls, GenerationContext()) == 6 * bars
    constraint = fitted.constraint(controls, GenerationContext(plan=f"3/4,{bars}"))
    state = constraint.start(())
    for position in [*range(6)] * bars:
        assert not constraint.ends(state)
        assert constraint.features(state)[0] == position
        state = constraint.step(state, ())
    assert constraint.ends(state)


def test_a_primer_leaves_only_longer_plans_with_its_pickup():
    fitted = pianoroll(roll(8), roll(13, pickup="1"), roll(16), roll(24))
    context = GenerationContext(primer=tuple(fitted.prime(roll(10))), labels={"meter": "4/4"})
    assert fitted.plans(None, context) == {"4/4,4": 1, "4/4,6": 1}
    assert fitted.max_steps(None, context) == 48
    unknown = GenerationContext(primer=context.primer, labels={"meter": "3/4", "fermatas": "2"})
    assert fitted.plans(PianorollControls(bars=5), unknown) == {"3/4,5": 4}, "the fermatas after a primer are unknown"
    with pytest.raises(Unsatisfiable, match="20 frames and does not fit into the 16 frames"):
        fitted.constraint(None, GenerationContext(plan="4/4,2")).start(context.primer)


def test_bars_contradict_a_longer_primer_and_a_shorter_length():
    fitted = pianoroll(roll(8))
    context = GenerationContext(primer=tuple(fitted.prime(roll(10))))
    with pytest.raises(Unsatisfiable, match="the primer is longer than --bars 2"):
        fitted.plans(PianorollControls(bars=2), context)
    with pytest.raises(Unsatisfiable, match="--length 9 is too short for --bars 2, which needs 16 frames"):
        fitted.plans(PianorollControls(bars=2), GenerationContext(length=9))


@pytest.mark.parametrize("controls", [{"keep_bars": "1"}, {"keep_voices": "top"}])
def test_an_infill_keeps_the_plan_of_its_tune(controls):
    fitted, piece = pianoroll(roll(32)), roll(5, meter="3/4")
    context = GenerationContext(tune=piece)
    assert fitted.plans(PianorollControls(**controls), context) == {"3/4,2,,2": 1}
    assert fitted.max_steps(PianorollControls(**controls), context) == 10
    constraint = fitted.constraint(PianorollControls(**controls), context)
    assert constraint.features(constraint.start(())) == (0, 1, 1)


def test_fermatas_are_counted_down():
    piece = roll(6, meter="3/4", fermatas="1 3/2 4")
    fitted = pianoroll(piece)
    assert fitted.training_plans == {"3/4,2,,,1 4": 1}, "each of several voices once"
    assert fitted.spec.features["fermata"] == 19
    counts = [fermata for *_, fermata in features(fitted, piece)]
    assert counts == [2, 2, 1, 4, 3, 3, 2, 2, 1, 18, 18, 18]
    assert {fermata for *_, fermata in features(fitted, roll(6, meter="3/4"))} == {0}, "unknown"


def test_plans_bring_their_fermatas():
    fitted = pianoroll(roll(8, fermatas="6"), roll(64, fermatas="60"))
    assert fitted.plans(PianorollControls(bars=2), GenerationContext()) == {"4/4,2,,,6": 1}
    three = PianorollControls(bars=3)
    assert fitted.plans(three, GenerationContext()) == {"4/4,3,,,6 10": 1, "4/4,3,,,8": 1}, "adapted"
    assert fitted.plans(three, GenerationContext(rules=Rules.LAST_CHORD)) == {"4/4,3": 2}, "older pieces are reproduced"
    tune = roll(8, fermatas="2")
    assert fitted.plans(PianorollControls(keep_bars="1"), GenerationContext(tune=tune)) == {"4/4,2,,,2": 1}
    assert fitted.score(tune).fermatas == (2,)
    assert features(fitted, roll(64))[0][-1] == 0
    assert features(fitted, roll(64, fermatas="60"))[0][-1] == 17, "many beats"


def test_plans_are_those_of_the_pieces_themselves():
    dance, hymn = roll(8), roll(8, fermatas="6")
    transposed = [replace(each, is_variant=True) for each in pianoroll(range="40-80").variants(hymn)]
    assert {each.labels["fermatas"] for each in transposed} == {"6"}
    fitted = pianoroll(dance, dance, hymn, *transposed, range="40-80")
    assert fitted.training_plans == {"4/4,2": 2, "4/4,2,,,6": 1}


def test_a_third_of_the_training_pieces_lack_their_fermatas():
    fitted = pianoroll(range="40-80")
    pieces = [fitted.from_score(score(2 * beats, pitch)) for beats in range(1, 9) for pitch in range(40, 81, 4)]
    views = [fitted.training_view(replace(each, labels={"meter": "3/4", "fermatas": "1"})) for each in pieces]
    assert [each.content for each in views] == [each.content for each in pieces]
    unknown = [each.labels == {"meter": "3/4"} for each in views]
    assert 0.2 < sum(unknown) / len(unknown) < 0.45
    plain = roll(8, meter="3/4")
    assert fitted.training_view(plain) is plain


def test_plans_bring_their_key_unless_a_primer_has_its_own():
    fitted = pianoroll(roll(8, key="Am"), roll(16, key="G"))
    assert fitted.training_plans == {"4/4,2,,,,Am": 1, "4/4,4,,,,G": 1}
    assert fitted.plans(PianorollControls(bars=3), GenerationContext()) == {"4/4,3,,,,Am": 1, "4/4,3,,,,G": 1}
    assert fitted.plan_labels("4/4,2,,,,Am") == {"meter": "4/4", "key": "Am"}
    primer = tuple(fitted.prime(roll(2)))
    in_d = GenerationContext(primer=primer, labels={"key": "D"})
    assert fitted.plans(PianorollControls(bars=2), in_d) == {"4/4,2,,,,D": 1}
    assert fitted.plans(PianorollControls(bars=2), GenerationContext(primer=primer)) == {"4/4,2": 1}, "unknown"
    other = replace(roll(8), labels=fitted.plan_labels("4/4,2,,,,Am"))
    assert fitted.score(other).keys == (Key(Fraction(0), 0, "minor"),)


def test_the_key_of_a_plan_is_given_to_the_model():
    fitted = pianoroll(roll(8, key="Am"), roll(16, key="G"), roll(8))
    assert list(fitted.spec.features) == ["position", "bar", "left", "key"]
    assert {key for *_, key in features(fitted, roll(4, key="Am"))} == {1 + 9 + 12}
    assert {key for *_, key in features(fitted, roll(4, key="Eb"))} == {1 + 3}
    assert {key for *_, key in features(fitted, roll(4, key="Ddor"))} == {1 + 2 + 12}, "its third is minor"
    assert {key for *_, key in features(fitted, roll(4))} == {0}, "unknown"
    constraint = fitted.constraint(None, GenerationContext(plan="4/4,2,,,,G"))
    assert constraint.features(constraint.start(())) == (0, 1, 1, 1 + 7)
    in_d = fitted.plans(PianorollControls(bars=2, key="D"), GenerationContext())
    assert in_d == {"4/4,2,,,,D": 2}


def test_some_training_pieces_lack_their_key():
    fitted = pianoroll(roll(8, key="Am"))
    views = [fitted.training_view(roll(beats, key="Am")) for beats in range(1, 400)]
    assert 0.06 < sum(not each.labels for each in views) / len(views) < 0.19
