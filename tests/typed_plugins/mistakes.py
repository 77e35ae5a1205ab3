"""Mistakes that mypy finds, a class each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from typed_plugins.typed import WordOptions, Words

from composer.api import Piece, RejectedPiece, Source


class OtherContent(Words):
    def decode(self, steps: Iterable[int]) -> Piece[int]:
        return Piece(sum(steps))


class OtherControls(Words):
    def control_labels(self, controls: WordOptions | None) -> dict[str, str]:
        return {}


class UnknownOption(Words):
    def read(self, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
        yield Piece(source.text() if self.options.upper else "")


class ContentOfPiece(Words):
    def prime(self, piece: Piece[str]) -> list[int]:
        return [letter + 1 for letter in piece.content]
