"""Vectors of pieces: which key a piece is read in."""

from composer.analysis.hidden_states.piece_vectors import piece_vectors
from composer.analysis.hidden_states.run import load
from composer.api import Piece, Source


def test_a_piece_keeps_its_key_if_the_model_lacks_a_symbol_in_the_common_one(checkpoint, tune_file, monkeypatch):
    model, rejected = load(checkpoint), []
    [piece, *_] = [each for each in model.representation.read(Source(tune_file)) if each.labels["key"] == "G"]
    alone = piece_vectors(model, [Piece(piece.content)], rejected.append)
    unknown = [Piece("\N{MUSICAL SYMBOL G CLEF}", labels={"key": "C"})]
    monkeypatch.setattr(model.representation, "variants", lambda piece: iter(unknown))
    found = piece_vectors(model, [piece], rejected.append)
    assert (found.values == alone.values).all()
    assert (found.indices, rejected) == ([0], [])
