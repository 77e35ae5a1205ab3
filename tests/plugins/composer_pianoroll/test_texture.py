"""The default of --max-notes is what most training pieces have, and gives way to what the user asks for."""

import pytest

from composer.api import GenerationContext, Piece
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions
from composer_pianoroll.frames import Roll
from composer_pianoroll.texture import piece_maximum, usual_maximum

CHORD = (48, 52, 55, 60, 64, 67)
CONTEXT = GenerationContext(plan="4/4,2")


def roll(*sizes):
    """A quarter note in each of so many voices, one after the other."""
    notes = [GridNote(4 * at, pitch, 4) for at, size in enumerate(sizes) for pitch in CHORD[:size]]
    return Roll(4 * len(sizes), Roll.from_notes(4 * len(sizes), notes).numbers)


def fitted(*pieces):
    representation = Pianoroll(PianorollOptions(positions=True))
    representation.fit([Piece(each, labels={"meter": "4/4"}) for each in pieces])
    return representation


def limits(representation, context=CONTEXT, **given):
    """The numbers of notes that the first frame may have at most."""
    constraint = representation.constraint(PianorollControls(**given), context)
    rule = constraint.allowed(constraint.start(context.primer))
    return sorted(limit.max_active for limit in rule.limits)


@pytest.mark.parametrize(
    ("sizes", "maximum"), [((4,) * 8, 4), ((3,) * 99 + (6,), 3), ((3,) * 97 + (6,) * 3, 6), ((0, 0, 2), 2), ((), 0)]
)
def test_a_few_fuller_steps_and_rests_do_not_count(sizes, maximum):
    assert piece_maximum(roll(*sizes)) == maximum


@pytest.mark.parametrize(("maxima", "usual"), [([4, 4, 4, 8], 4), ([4, 4, 8, 8], 8), ([], None), ([0], None)])
def test_a_few_fuller_pieces_do_not_count(maxima, usual):
    assert usual_maximum(maxima) == usual


def test_the_training_data_limits_the_notes_at_once():
    representation = fitted(roll(4, 4), roll(3, 4, 4))
    assert representation.state()["max_notes"] == 4
    assert limits(representation) == [4]
    assert limits(representation, max_notes=6) == [6]
    assert {4, 5} & {*limits(representation, min_notes=5)} == {5}
    assert 4 not in limits(representation, density="8")


def test_notes_of_a_primer_may_be_held():
    primer = ((*CHORD[:5],),)
    assert limits(fitted(roll(4, 4)), GenerationContext(plan="4/4,2", primer=primer)) == [5]


def test_recorded_pieces_and_models_without_the_number_have_no_limit():
    representation = fitted(roll(4, 4))
    assert limits(representation, GenerationContext(plan="4/4,2", rules=3)) == []
    representation.restore({name: value for name, value in representation.state().items() if name != "max_notes"})
    assert limits(representation) == []


@pytest.mark.parametrize("damaged", ["4", 0, True, 4.0])
def test_a_damaged_number_is_refused(damaged):
    with pytest.raises(ValueError, match="notes at once"):
        Pianoroll(PianorollOptions(positions=True)).restore({"max_notes": damaged})
