"""`--particles`: infilling given what follows, recorded and reproduced."""

from dataclasses import replace
from pathlib import Path

import pytest

from composer.api import GenerationContext, Piece, Source, Unsupported, UsageError
from composer.checkpoints import store
from composer.checkpoints.load import load_model
from composer.cli.gen.options import GenOptions
from composer.cli.gen.particles import particles_of
from composer.formats import provenance

TUNE = "X:1\nM:4/4\nL:1/8\nK:G\n|:GABc d2B2|c2A2 F4|E2G2 c2e2|d8:|\n"


@pytest.fixture
def gen(composer, tmp_path):
    path = tmp_path / "given.abc"
    path.write_text(TUNE)

    def run(*arguments, rep="abc"):
        return composer("gen", rep, "--prime", path, "--format", "abc", "--seed", "2", *arguments)

    return run


def recipe(result):
    (found,) = provenance.read(result.data, "tune")
    return found.facts


@pytest.mark.parametrize("rep", ["abc", "grid", "pianoroll"])
def test_infilling_is_reproduced(composer, gen, rep):
    result = gen("--keep-bars", "1,3-4", "--particles", "3", rep=rep)
    assert result.code == 0, result.err
    assert recipe(result)["particles"] == 3
    assert composer("replay", "-", stdin=result.data).data == result.data


def test_particles_are_the_default_of_infilling(gen):
    kept = ("--keep-bars", "1,3-4")
    assert recipe(gen(*kept))["particles"] > 1
    assert gen(*kept).data == gen(*kept, "--particles", str(recipe(gen(*kept))["particles"])).data
    assert "particles" not in recipe(gen(*kept, "--particles", "1"))
    assert "particles" not in recipe(gen(*kept, "--temp", "0"))
    assert "particles" not in recipe(gen("--bars", "8"))


def test_a_recipe_without_particles_is_from_left_to_right(composer, gen):
    """Files of earlier versions name no particles."""
    result = gen("--keep-bars", "1,3-4", "--particles", "1")
    assert composer("replay", "-", stdin=result.data).data == result.data


def test_several_pieces_are_reproduced_one_by_one(composer, gen, tmp_path):
    gen("--keep-bars", "1,3-4", "--particles", "3", "--count", "3", "--output", tmp_path / "%d.abc")
    alone = composer("replay", tmp_path / "3.abc").data
    assert alone == (tmp_path / "3.abc").read_bytes()
    music = [(tmp_path / f"{number}.abc").read_text().partition("K:G")[2] for number in (1, 2, 3)]
    assert len(set(music)) > 1


@pytest.mark.parametrize(
    ("rep", "options", "words", "code"),
    [
        ("abc", ("--particles", "8"), ("--particles needs --keep-bars", "add --keep-bars"), 2),
        (
            "pianoroll",
            ("--particles", "8"),
            ("--particles needs --keep-bars or --keep-voices", "hint: add --keep-bars or --keep-voices"),
            2,
        ),
        ("text", ("--particles", "8"), ("--particles is for infilling", "leave out --particles"), 2),
        ("abc", ("--particles", "x", "--keep-bars", "1"), ("invalid value for --particles: 'x'",), 2),
        ("pianoroll", ("--keep-voices", "top"), ("--keep-voices needs --prime",), 2),
    ],
)
def test_usage_errors(composer, rep, options, words, code):
    composer("gen", rep, *options).failed(*words, code=code)


@pytest.mark.parametrize("rep", ["abc", "grid", "pianoroll"])
def test_representations_name_the_kept_steps(rep):
    """Whatever wraps the constraint, such as the rules of style, passes the numbers on."""
    representation = load_model(store.default(rep), rep, "cpu").representation
    [piece] = representation.read(Source(Path("tune.abc"), data=TUNE.encode()))
    controls = representation.Controls(keep_bars="1-2")
    constraint = representation.constraint(controls, GenerationContext(tune=piece))
    steps = representation.prime(piece)
    state, numbers = constraint.start(()), []
    for step in steps:
        numbers.append(constraint.fixed_step(state))
        state = constraint.step(state, step)
    kept = [number for number in numbers if number is not None]
    assert numbers[0] is not None
    assert None in numbers
    assert kept == sorted(set(kept))


def test_models_without_exact_probabilities_fill_from_left_to_right():
    class Approximate:
        def initial_state(self, conditions, **features):
            return None

        def log_prob(self, state, steps):
            raise Unsupported("no exact probability of a frame")

    loaded = load_model(store.default("pianoroll"), "pianoroll", "cpu")
    options = GenOptions("pianoroll", controls=loaded.representation.Controls(keep_bars="1"))
    model, context = loaded._replace(sampler=Approximate()), GenerationContext(tune=Piece("a tune"))
    assert particles_of(options, loaded, context) > 1
    assert particles_of(options, model, context) == 1
    with pytest.raises(UsageError, match="--particles 8 needs exact probabilities"):
        particles_of(replace(options, particles=8), model, context)
