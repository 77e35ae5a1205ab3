"""Vectors of pieces: which key a piece is read in."""

import pytest

from composer.analysis.hidden_states.piece_vectors import in_common_key, piece_vectors
from composer.analysis.hidden_states.run import load
from composer.api import Piece, Source
from composer.formats.abc.dialect import transpose
from composer.registry import plugins as registry


def test_a_piece_keeps_its_key_if_the_model_lacks_a_symbol_in_the_common_one(checkpoint, tune_file, monkeypatch):
    model, rejected = load(checkpoint), []
    [piece, *_] = [each for each in model.representation.read(Source(tune_file)) if each.labels["key"] == "G"]
    alone = piece_vectors(model, [Piece(piece.content)], rejected.append)
    unknown = [Piece("\N{MUSICAL SYMBOL G CLEF}", labels={"key": "C"})]
    monkeypatch.setattr(model.representation, "variants_in", lambda piece, key: iter(unknown))
    found = piece_vectors(model, [piece], rejected.append)
    assert (found.values == alone.values).all()
    assert (found.indices, rejected) == ([0], [])


@pytest.mark.parametrize("options", [{}, {"text": "raw"}])
def test_only_the_transposition_to_the_common_key_is_made(tune_file, monkeypatch, options):
    kind = registry.representation("abc")
    representation = kind(kind.Options(**options))
    pieces = list(representation.read(Source(tune_file)))
    expected = [
        next((each for each in representation.variants(piece) if each.labels["key"] in ("C", "Am")), piece)
        for piece in pieces
    ]
    made = []
    normalize = transpose.normalize_tune
    monkeypatch.setattr(transpose, "normalize_tune", lambda *given: made.append(given) or normalize(*given))
    assert [in_common_key(representation, piece) for piece in pieces] == expected
    assert len(made) == (0 if options else 2)  # one for each tune that is in another key
