"""Music is the best of a few candidates unless the player says otherwise."""

import re

import pytest

from composer import __version__
from composer.formats import provenance


@pytest.fixture
def gen(composer, checkpoint):
    """Run `composer gen abc` with the small model of tunes."""
    return lambda *arguments: composer("gen", "abc", "--checkpoint", checkpoint, "--seed", "5", *arguments)


def facts(text):
    """Return the provenance of a tune."""
    (found,) = provenance.read(text.encode(), "tune")
    return found.facts


def test_piece_is_the_same_alone_and_among_many(gen):
    many = gen("--count", "3", "--no-provenance", "--batch-size", "3")
    alone = gen("--no-provenance", "--batch-size", "3")
    assert many.out.startswith(alone.out.rstrip())


def test_provenance_has_the_seed_of_the_chosen_candidate(gen, composer, checkpoint, tmp_path):
    chosen, plain = gen("-o", tmp_path / "a.abc"), gen("--candidates", "1", "--no-provenance").out
    assert chosen.code == 0
    text = (tmp_path / "a.abc").read_text()
    found = facts(text)
    same = gen("--seed", found["seed"], "--candidates", "1", "--no-provenance").out
    assert "".join(provenance.without_provenance(text.splitlines(keepends=True))) == same
    assert (found["seed"] == 5) == (same == plain)
    assert composer("replay", tmp_path / "a.abc", "--checkpoint", checkpoint).err.endswith("reproduced exactly\n")


def test_the_seed_that_is_shown_gives_the_piece_again(composer, tmp_path):
    """It is that of the command, also if another candidate than the first was chosen."""
    path = tmp_path / "a.abc"
    assert composer("gen", "abc", "--seed", "2", "-o", path).code == 0
    found = facts(path.read_text())
    assert (found["command_seed"], found["candidate"]) == (2, 2)
    assert found["seed"] != 2
    assert path.read_text().splitlines()[1].startswith(f"N:composer {__version__} abc seed 2 ")
    shown = composer("show", path, "--provenance").out
    assert "  seed            2\n" in shown
    assert f"  candidate       2 (its own seed: {found['seed']})\n" in shown
    assert composer("replay", path).data == path.read_bytes()


def test_ranked_pieces_show_the_seed_of_the_command(gen):
    tunes = re.split("(?=^X:)", gen("--candidates", "4", "--keep", "2").out, flags=re.MULTILINE)[1:]
    for found in map(facts, tunes):
        assert found.get("command_seed", 5) == 5
        assert found["seed"] == 4 + found.get("candidate", 1)


def test_one_candidate_is_a_plain_piece(gen):
    one = gen("--candidates", "1")
    assert facts(one.out)["seed"] == 5
    assert not re.search("best 1 of 1", one.err)
    assert gen("--candidates", "1", "--count", "2").out.count("X:") == 2


@pytest.mark.parametrize("options", [("--temp", "0"), ("--top-k", "1")])
def test_greedy_pieces_have_no_candidates(gen, options):
    assert facts(gen(*options, "--length", "60").out)["seed"] == 5


def test_text_has_no_candidates(composer):
    text = composer("gen", "text", "--seed", "5", "--length", "20")
    assert text.data == composer("gen", "text", "--seed", "5", "--length", "20", "--candidates", "1").data


def test_a_run_cannot_be_resumed_with_another_number(gen, monkeypatch, tmp_path):
    from composer.cli.gen import run

    generate = run.generate

    def interrupted(*arguments, **options):
        for event in generate(*arguments, **options):
            if event.number == 3:
                raise KeyboardInterrupt
            yield event

    many = ("--count", "4", "--output", tmp_path / "%d.abc")
    with monkeypatch.context() as patched:
        patched.setattr(run, "generate", interrupted)
        assert gen(*many).code == 130
    gen(*many, "--resume", "--candidates", "1").failed("started with --candidates 3, not without --candidates", code=2)
    assert gen(*many, "--resume").code == 0
