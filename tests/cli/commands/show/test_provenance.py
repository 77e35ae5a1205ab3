"""`composer show --provenance`: how generated pieces were made."""

import json

import pytest

from composer.cli.gen import recipe
from composer.formats import provenance
from composer.formats.provenance import Provenance

TUNE = b"X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|c8|]\n"
FACTS = {
    "representation": "abc", "seed": 7, "sampling": {"temperature": 0.9, "top_k": 20}, "controls": {"bars": 8},
    "model": "0123456789abcdef", "primer": recipe.pack_steps([1, 2, 3]),
}  # fmt: skip


@pytest.fixture
def generated(tmp_path):
    """A file whose second tune of three has provenance."""
    tunes = [TUNE, provenance.mark("abc", TUNE, Provenance("1.2", FACTS)), TUNE]
    path = tmp_path / "tunes.abc"
    path.write_bytes(b"\n".join(tunes))
    return path


def test_table(composer, generated):
    shown = composer("show", generated, "--provenance")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "piece 1", "  no provenance", "",
        "piece 2",
        "  made by         composer 1.2",
        "  representation  abc",
        "  model           none of your models (digest 0123456789ab)",
        "  seed            7",
        "  sampling        temperature=0.9, top_k=20",
        "  controls        bars=8",
        "  prompt          3 steps", "",
        "piece 3", "  no provenance",
    ]  # fmt: skip


def test_json(composer, generated):
    shown = composer("show", generated, "--provenance", "--json")
    assert json.loads(shown.out) == [{**FACTS, "program": "1.2", "piece": 2}]


def test_selected_pieces(composer, generated):
    assert "piece" not in composer("show", generated, "--provenance", "--tune", "2").out.partition("\n")[2]
    first = composer("show", generated, "--provenance", "--limit", "1")
    assert "seed" not in first.out
    assert "tunes.abc has more pieces: --tune N" in first.err
    composer("show", generated, "--provenance", "--tune", "4").failed("has no piece 4", "use --tune 1 to --tune 3")


@pytest.mark.parametrize("form", ["midi", "musicxml"])
def test_other_formats(composer, form):
    data = composer("gen", "grid", "--bars", "2", "--seed", "3", "--format", form, "-q").data
    shown = composer("show", "-", "--provenance", stdin=data).out
    assert "  model           grid (digest " in shown
    assert "  seed            " in shown


def test_damaged_steps(composer):
    data = provenance.mark("abc", TUNE, Provenance("1.2", {**FACTS, "primer": "!"}))
    assert "  prompt          damaged\n" in composer("show", "-", "--provenance", stdin=data).out


def test_errors(composer, checkpoint, tunes, generated):
    composer("show", tunes, "--provenance").failed("no provenance in ", "--no-provenance")
    composer("show", checkpoint, "--provenance").failed("is a model, not a piece", code=2)
    composer("show", generated, "--provenance", "--surprise").failed("cannot be combined with --surprise", code=2)
    composer("show", generated, tunes, "--json").failed(
        "--json needs --units or --provenance", f"composer show {generated} --units --json", code=2
    )
    composer("show", "abc", "--json").failed("--json needs", "composer models info abc --json", code=2)
    edited = generated.read_bytes().replace(b'"seed":7', b'"seed":8')
    said = composer("show", "-", "--provenance", stdin=edited)
    said.failed("the settings recorded for `composer 1.2 abc seed 7 ", "are missing, edited or from another tune")
