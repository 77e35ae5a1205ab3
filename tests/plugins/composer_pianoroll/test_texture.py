"""The defaults of --max-notes and --min-notes suit the training data, and give way to what the user asks for."""

from dataclasses import replace

import pytest

from composer.api import GenerationContext, Piece
from composer.toolkit.representations.quantize import GridNote
from composer_pianoroll import Pianoroll, PianorollControls, PianorollOptions
from composer_pianoroll.frames import Layout, Roll
from composer_pianoroll.rules import Rules
from composer_pianoroll.texture import has_thin_chords, piece_maximum, usual_maximum

CHORD = (48, 52, 55, 60, 64, 67)
CONTEXT = GenerationContext(plan="4/4,2", rules=Rules.THIN_PRIMERS)


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
    assert limits(fitted(roll(4, 4)), replace(CONTEXT, primer=primer)) == [5]


def test_recorded_pieces_and_models_without_the_number_have_no_limit():
    representation = fitted(roll(4, 4))
    assert limits(representation, GenerationContext(plan="4/4,2", rules=3)) == []
    representation.restore({name: value for name, value in representation.state().items() if name != "max_notes"})
    assert limits(representation) == []


@pytest.mark.parametrize("damaged", ["4", 0, True, 4.0])
def test_a_damaged_number_is_refused(damaged):
    with pytest.raises(ValueError, match="notes at once"):
        Pianoroll(PianorollOptions(positions=True)).restore({"max_notes": damaged})


MELODY = ((60,),) * 4


def least(representation, primer=MELODY, rules=Rules.THIN_PRIMERS, **given):
    """The number of notes that sound at least after `primer`, in the first and in later frames."""
    context = GenerationContext(plan="4/4,2", primer=primer, rules=rules)
    constraint = representation.constraint(PianorollControls(parallels="allow", **given), context)
    state, found = constraint.start(primer), set()
    for _ in range(8):
        rule = constraint.allowed(state)
        found.add(max((limit.min_active for limit in rule.limits), default=0))
        frame = rule.project(()) if rule.project is not None else ()
        state = constraint.step(state, frame)
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("thin", "given", "minimum"),
    [
        (0.04, {}, 3),
        (0.2, {}, 1),
        (0.2, {"chords": "full"}, 3),
        (0.04, {"chords": "any"}, 1),
        (0.04, {"max_notes": 2}, 2),
        (0.04, {"max_notes": 1}, 1),
        (0.04, {"max_onsets": 1, "max_sustained": 1}, 2),
        (0.04, {"range": "C4-C#4"}, 2),
        (0.04, {"min_notes": 2}, 2),
        (0.04, {"min_notes": 0}, 0),
        (0.04, {"density": "1"}, 0),
        (0.25, {}, 0),
        (None, {}, 0),
    ],
    ids=str,
)
def test_a_thin_primer_is_continued_with_as_full_chords_as_the_training_data(thin, given, minimum):
    representation = fitted(roll(4, 4))
    representation.restore({**representation.state(), "last_chord": None, "thin_chords": thin})
    assert least(representation, **given) == minimum


def test_other_primers_and_recorded_pieces_have_no_minimum():
    representation = fitted(roll(4, 4))
    representation.restore({**representation.state(), "last_chord": None})
    full = (tuple(pitch - 21 for pitch in CHORD[:4]),)
    assert least(representation, MELODY) == 3
    assert least(representation, (*full, *full, *MELODY[:1])) == 0
    assert least(representation, (*full, *MELODY)) == 3
    assert least(representation, ()) == 0
    assert least(representation, MELODY, rules=Rules.THIN_PRIMERS - 1) == 0


@pytest.mark.parametrize("options", [{}, {"onsets": False}, {"stack": 2}], ids=str)
def test_thin_primers(options):
    layout = Layout(21, 108, **options)
    frames = {sizes: [*layout.frames(roll(*sizes))] for sizes in [(3,), (1,), (3, 1), (3, 1, 1), (0, 2), (3, 3, 0, 1)]}
    assert [sizes for sizes, primer in frames.items() if has_thin_chords(layout, primer)] == [(1,), (3, 1, 1), (0, 2)]
    assert not has_thin_chords(layout, ())


@pytest.mark.parametrize("given", [{}, {"bars": 2}, {"keep_voices": "top"}], ids=str)
@pytest.mark.parametrize("options", [{}, {"onsets": False}, {"positions": True}], ids=str)
def test_recorded_pieces_meet_limits_in_order(options, given):
    representation = Pianoroll(PianorollOptions(**options))
    tune = Piece(roll(4, 4), labels={"meter": "4/4"}) if "keep_voices" in given else None
    for rules, in_order in ((Rules.ANY_PITCHES_WITHIN_LIMITS - 1, True), (None, False)):
        context = GenerationContext(rules=rules, tune=tune, plan="4/4,2")
        constraint = representation.constraint(PianorollControls(**given, max_notes=4), context)
        assert constraint.allowed(constraint.start(())).in_order == in_order
