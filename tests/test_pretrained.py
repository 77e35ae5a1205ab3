"""The models that come with the program: small, playable, and as their cards say."""

import pytest

from composer.core import models
from composer.core.checkpoint import read_header
from composer.core.generation import Drew, Request, generate
from composer.core.player import open_player

PRETRAINED = sorted(models.PRETRAINED.glob("*.safetensors"))


@pytest.mark.parametrize("representation", ["abc", "grid", "pianoroll", "text"])
def test_there_is_a_model(representation):
    assert models.bundled(representation) in PRETRAINED


@pytest.mark.parametrize("path", PRETRAINED, ids=lambda path: path.stem)
class TestModel:
    def test_it_is_small(self, path):
        assert path.stat().st_size <= 8_000_000

    def test_its_card_tells_what_it_was_taught(self, path):
        header, card = read_header(path), path.with_suffix(".md").read_text("utf-8")
        record = header.record
        assert record["finished"]
        for data in record["data"]:
            assert data in card
        for key, value in header.config.items():
            assert f"{key}={value}" in card or model_default(header, key) == value
        for number in (record["pieces"]["train"], record["pieces"]["valid"]):
            assert f"{number:,}" in card
        assert f"{record['reported']:.3f}" in card
        assert f"composer train {header.representation} " in card

    def test_it_composes_pieces_that_come_to_an_end_and_are_something(self, path):
        player = open_player(path)
        constraint = player.representation.constraint()
        request = Request(length=player.representation.length, count=8, seed=1, temperature=0.8)
        pieces = {}
        for event in generate(player.sampler, player.spec, request, constraint):
            if isinstance(event, Drew):
                pieces.setdefault(event.number, []).extend(event.steps)
        assert len(pieces) == 8
        ended = [steps for steps in pieces.values() if player.spec.end in {steps[-1], None}]
        assert len(ended) >= (7 if "midi" in player.representation.formats else 4), "a poem may be long"
        found = [player.representation.decode(steps) for steps in ended]
        scores = [player.representation.score(piece) for piece in found]
        music = "midi" in player.representation.formats
        assert all(
            len(score.notes) > 8 if music else len(piece.content) > 40
            for piece, score in zip(found, scores, strict=True)
        )
        assert len({piece.content for piece in found}) == len(found)


def model_default(header, key):
    from composer.core import registry

    return getattr(registry.model(header.model).Config(), key)
