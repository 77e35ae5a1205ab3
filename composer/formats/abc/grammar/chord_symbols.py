"""Chord symbols, character by character."""

from __future__ import annotations

from composer.formats.abc.dialect.tables import CHORD_KINDS
from composer.formats.abc.grammar.vocabulary import Vocabulary

__all__ = ["ChordSymbolGrammar"]


class ChordSymbolGrammar:
    """Chord symbols as a small graph: `masks` and `next` by node, of which 0 comes after the opening quote."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        roots = [root for root in "ABCDEFG" if root in vocabulary.ids]
        kinds = [kind for kind in CHORD_KINDS.values() if vocabulary.has(kind)]
        graph: dict[str, dict[str, str]] = {
            "": dict.fromkeys(roots, "root"),
            "/": dict.fromkeys(roots, "bass"),
            "bass": {"#": "bass#", "b": "bass#", '"': ""},
            "bass#": {'"': ""},
        }
        for begun in {kind[:end] for kind in kinds for end in range(len(kind) + 1)}:
            after = {
                kind[len(begun)]: f":{kind[: len(begun) + 1]}"
                for kind in kinds
                if kind.startswith(begun) and kind != begun
            }
            graph[f":{begun}"] = {**after, **({"/": "/", '"': ""} if begun in kinds else {})}
        graph["root"] = {**graph[":"], "#": ":", "b": ":"}
        numbers = {name: number for number, name in enumerate(graph)}
        self.next = [{sign: numbers[name] for sign, name in moves.items()} for moves in graph.values()]
        self.masks = [vocabulary.bits(moves) for moves in self.next]
        self.any = bool(roots) and vocabulary.has('"')
