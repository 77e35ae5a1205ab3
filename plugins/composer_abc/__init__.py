"""The abc representation: tunes in ABC notation, character by character."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from composer.api import (
    Constraint,
    Decoder,
    EncodeError,
    GenerationContext,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    Score,
    SequenceSpec,
    Source,
    StepKind,
    Unsatisfiable,
    hookimpl,
)
from composer.formats.read import MUSIC_SUFFIXES, empty_error
from composer_abc import pieces, titles
from composer_abc.controls import AbcControls, no_controls
from composer_abc.decoder import AbcDecoder
from composer_abc.options import AbcOptions

if TYPE_CHECKING:
    from composer.formats.abc.grammar.automaton import Automaton
    from composer.formats.abc.grammar.infill import InfillConstraint
    from composer.formats.abc.grammar.positions import PositionConstraint
    from composer_abc.plans import Counters

__all__ = ["Abc", "AbcControls", "AbcOptions"]

MAX_PLANS = 500
"""The most common plans are kept, so that a checkpoint stays small."""

END = 0
"""The id of the end token, which is not a character."""

STYLED_RULES = 2
"""The first version of the rules with those of style (see `composer.formats.abc.grammar.style`)."""

REPEAT_LIMIT = 2
"""Times in a row that a cycle of bars occurs at most, if the player does not say: as in traditional tunes."""

LONG_BAR = 64
"""More characters than most bars have."""

CHORDS_LEFT_OUT = "chord symbols left out"
_SYMBOL = re.compile(r'"[^"\n]*"')


class Abc(Representation[str, AbcOptions, AbcControls]):
    """Tunes as characters of ABC text. A piece's content is that text, without its `X:` line in the dialect.

    Of music in other formats, the piece is the melody, as a tune of the dialect.
    """

    api, name, version, rules, uses_titles = 1, "abc", 1, 3, True
    summary = "tunes in ABC notation, character by character"
    kind = StepKind.TOKENS
    suffixes = (".abc", ".txt", *(suffix for suffix in MUSIC_SUFFIXES if suffix != ".abc"))
    formats = ("abc", "midi", "musicxml")
    native = "abc"
    step_name = "character"
    labels = ("rhythm", "meter", "key", "mode")
    Options = AbcOptions
    Controls = AbcControls

    def __init__(self, options: AbcOptions | None = None) -> None:
        super().__init__(options)
        self.raw = self.options.text == "raw"
        self.positional = self.options.positions
        self._restore(())

    def read(self, source: Source) -> Iterator[Piece[str] | RejectedPiece]:
        if not pieces.is_text(source):
            return pieces.melody_pieces(source, self.primer_from_score if source.fragment else self.from_score)
        text = source.text()
        if source.fragment:
            return pieces.primer_pieces(text, source, self.raw)
        if not text.strip():
            raise empty_error(source)
        return pieces.raw_pieces(text, source) if self.raw else pieces.dialect_pieces(text, source)

    def fit(self, pieces: Iterable[Piece[str]]) -> None:
        if self.positional and isinstance(pieces, Iterator):
            pieces = list(pieces)
        self._restore(sorted({character for piece in pieces for character in piece.content}))
        if self.positional:
            plans = Counter[str]()
            for piece in (each for each in pieces if not each.is_variant):
                with suppress(EncodeError):
                    plans.update(filter(None, [self.plan(piece)]))
            self._restore(self.characters, dict(sorted(plans.most_common(MAX_PLANS))))

    def _restore(self, characters: Iterable[str], plans: Mapping[str, int] | None = None) -> None:
        self.characters = tuple(characters)
        self.ids = {character: number for number, character in enumerate(self.characters, 1)}
        self._automaton: Automaton | None = None
        self._counted: tuple[str, Counters] = "", ()
        """The text of the piece whose positions were counted last, and its counters."""
        self.training_plans = dict(plans or {})
        """How many training pieces have each plan."""
        self._features: Mapping[str, int] = {}
        if self.positional:
            from composer.formats.abc.grammar.positions import feature_sizes
            from composer_abc.plans import parse_plan

            self._features = feature_sizes([parse_plan(plan) for plan in self.training_plans])

    @property
    def spec(self) -> SequenceSpec:
        return SequenceSpec(StepKind.TOKENS, 1 + len(self.characters), END, features=self._features)

    def prime(self, piece: Piece[str]) -> list[int]:
        text = self._known_text(piece)
        unseen = sorted(set(text) - self.ids.keys())
        if unseen:
            names = ", ".join(repr(character) for character in unseen)
            raise EncodeError(
                f"{piece.source or 'the text'} has characters that were not in the training data: {names}",
                f"the model knows {''.join(self.characters).strip()}",
            )
        return [self.ids[character] for character in text]

    def losses(self, piece: Piece[str]) -> Mapping[str, int]:
        chords = len(_SYMBOL.findall(piece.content)) if self._melody_only else 0
        letters = titles.count_unknown(piece.content, self.ids) if self.ids else 0
        letters += piece.losses.get(titles.LETTERS_REPLACED, 0)
        counts = {CHORDS_LEFT_OUT: piece.losses.get(CHORDS_LEFT_OUT, 0) + chords, titles.LETTERS_REPLACED: letters}
        return {**piece.losses, **{phrase: count for phrase, count in counts.items() if count}}

    def _known_text(self, piece: Piece[str]) -> str:
        """Return the text of a piece with titles in known letters, without chord symbols if the model knows none."""
        text = _SYMBOL.sub("", piece.content) if self._melody_only else piece.content
        return titles.with_known_titles(text, self.ids) if self.ids and not self.ids.keys() >= set(text) else text

    @property
    def _melody_only(self) -> bool:
        """Whether the model knows no chord symbols, the only use of quotation marks in the dialect."""
        return not self.raw and bool(self.ids) and '"' not in self.ids

    def decode(self, steps: Iterable[int]) -> Piece[str]:
        text = "".join(map(self._character, steps))
        title = re.search(r"^T:[ \t]*(.*)$", text, re.MULTILINE)
        return Piece(text, title=title[1].strip() if title else "")

    def _character(self, step: int) -> str:
        return self.characters[step - 1] if step != END else ""

    def decoder(self, number: int = 1) -> Decoder:
        return AbcDecoder(self._character, number)

    def variants(self, piece: Piece[str]) -> Iterator[Piece[str]]:
        return pieces.in_other_keys(piece, self.raw)

    def variants_in(self, piece: Piece[str], key: str) -> Iterator[Piece[str]]:
        return pieces.in_other_keys(piece, self.raw, key)

    def state(self) -> dict[str, Any]:
        plans = {"plans": self.training_plans} if self.positional else {}
        return {"characters": "".join(self.characters), **plans}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._restore(state["characters"], state.get("plans"))

    def score(self, piece: Piece[str]) -> Score | None:
        from composer.formats.abc.reader.score import read_score

        try:
            return read_score(piece.content)
        except ReadError:
            return None

    def continued(self, primer: Sequence[int], controls: AbcControls | None) -> tuple[Sequence[int], str]:
        from composer_abc import continuing

        if self.raw or controls is None or not controls.bars:
            return primer, ""
        text, note = continuing.opened(self.decode(primer).content, self._primer_positions(primer), controls.bars)
        return primer[: len(text)], note

    def longer(self, primer: Sequence[int]) -> str:
        from composer_abc import continuing

        return "" if self.raw else continuing.longer(self._primer_positions(primer))

    def constraint(
        self, controls: AbcControls | None = None, context: GenerationContext | None = None
    ) -> Constraint | None:
        controls, context = controls or AbcControls(), context or GenerationContext()
        if self.raw:
            if controls != AbcControls():
                raise no_controls(controls)
            return None
        parts = self._parts(controls, context)
        is_free = replace(controls, repeat_limit=None) == AbcControls() and not parts
        constraint = self._plain if is_free else self._controlled(controls, context, parts)
        if self.positional:
            from composer.formats.abc.grammar.positions import PositionConstraint

            return self._styled(PositionConstraint(constraint, parts, self._features), controls, context)
        return self._styled(constraint, controls, context)

    def _styled(
        self,
        inner: Automaton | InfillConstraint | PositionConstraint,
        controls: AbcControls,
        context: GenerationContext,
    ) -> Constraint:
        """Return `inner` with the rules of style, or by the rules that a recorded piece was generated by."""
        if (context.rules or self.rules) < STYLED_RULES:
            return inner
        from composer.formats.abc.grammar.style import StyleConstraint

        limit = REPEAT_LIMIT if controls.repeat_limit is None else controls.repeat_limit
        return StyleConstraint(inner, self._plain.vocabulary, limit, context.titles)

    @property
    def _plain(self) -> Automaton:
        """The automaton of all tunes."""
        if self._automaton is None:
            from composer.formats.abc.grammar.automaton import Automaton

            self._automaton = Automaton(self.characters)
        return self._automaton

    def plan(self, piece: Piece[str]) -> str | None:
        """Return the number of bars in each part, as in `8,8`, with `positions`. Raises EncodeError."""
        if not self.positional:
            return None
        from composer_abc.plans import as_plan, parts_of

        return as_plan(parts_of(self._count_positions(self.prime(piece), piece.source)))

    def step_features(self, piece: Piece[str], steps: Sequence[int]) -> Iterable[tuple[int, ...]]:
        from composer.formats.abc.grammar.positions import feature_values
        from composer_abc.plans import parts_of

        counters, sizes = self._count_positions(steps[:-1], piece.source), tuple(self._features.values())
        parts = parts_of(counters)
        return (feature_values(each, parts, sizes) for each in counters)

    def plans(self, controls: AbcControls | None, context: GenerationContext) -> Mapping[str, int]:
        """Return the plans of the training pieces with the given bars or the given start; else one that has them."""
        bars = controls.bars if controls is not None else 0
        if self.raw or not (self.positional or bars):
            return {}
        from composer_abc.continuing import check_bars, is_closed
        from composer_abc.plans import bars_with_room, fitting_plans, parts_of

        if context.tune is not None:
            return {self.plan(context.tune) or "": 1} if self.positional else {}
        counters = self._primer_positions(context.primer)
        check_bars(counters, 0 if context.rules else bars)  # recorded pieces were generated
        if not self.positional:
            return {}
        room, closed = bars_with_room(context, bars), is_closed(self._counted[0])
        return fitting_plans(self.training_plans, parts_of(counters), counters[-1][-1], bars, room, is_closed=closed)

    def _primer_positions(self, primer: Sequence[int]) -> Counters:
        """Return the counters of a primer. Raises Unsatisfiable if it is invalid."""
        self._plain.start(primer)
        return self._count_positions(primer, "the primer")

    def _parts(self, controls: AbcControls, context: GenerationContext) -> Sequence[int]:
        """Return the bars of each part, if they are planned; else nothing."""
        if not self.positional:
            return ()
        from composer_abc.plans import parse_plan

        is_given = context.plan is None and (controls.bars or context.tune is not None)
        return parse_plan(next(iter(self.plans(controls, context))) if is_given else context.plan)

    def _count_positions(self, steps: Sequence[int], name: str) -> Counters:
        """Return the counters of a tune without its end; those of the last one are remembered. Raises EncodeError."""
        text = "".join(map(self._character, steps))
        if not text or self._counted[0] != text:
            from composer.formats.abc.grammar.positions import PositionConstraint
            from composer_abc.plans import count_positions

            self._counted = text, count_positions(PositionConstraint(self._plain, (), self._features), steps, name)
        return self._counted[1]

    def _controlled(
        self, controls: AbcControls, context: GenerationContext, parts: Sequence[int]
    ) -> Automaton | InfillConstraint:
        from composer.formats.abc.grammar.build import ConstraintBuilder
        from composer.formats.abc.grammar.vocabulary import Vocabulary
        from composer.music.bar_ranges import parse_bar_ranges

        vocabulary = self._plain.vocabulary if parts else Vocabulary(self.characters)
        builder = ConstraintBuilder(vocabulary, context.primer)
        if controls.keep_bars:
            if context.tune is None:
                raise Unsatisfiable("--keep-bars needs --prime", "add --prime FILE", flags=("--keep-bars",))
            kept = parse_bar_ranges(controls.keep_bars)
            builder = ConstraintBuilder(builder.vocabulary, (), self._known_text(context.tune), kept)
        constraint = builder.build(replace(controls.tune_controls(), parts=tuple(parts)))
        estimate = self.estimated_steps(controls, context)
        if estimate is not None and context.length is not None:
            option = f"--keep-bars {controls.keep_bars}" if controls.keep_bars else f"--bars {controls.bars}"
            shortest = len(builder.primer) + len(constraint.complete(constraint.start(builder.primer)))
            if context.length < shortest:
                raise Unsatisfiable(
                    f"--length {context.length} is too short for {option}, which needs at least {shortest} characters",
                    f"leave out --length, or use --length {max(estimate, shortest)}",
                    flags=("--length", option.partition(" ")[0]),
                )
        return constraint

    def max_steps(self, controls: AbcControls | None, context: GenerationContext) -> int:
        """Leave room for the requested bars or the tune to infill."""
        room = LONG_BAR * (controls.bars if controls is not None else 0)
        if context.tune is not None:
            room = max(room, 2 * len(self._known_text(context.tune)))
        return context.length or len(context.primer) + max(self.length, room)

    def estimated_steps(self, controls: AbcControls | None, context: GenerationContext) -> int | None:
        """Estimate from the number of bars, or from the tune to infill."""
        if context.tune is not None:
            return len(self._known_text(context.tune)) + 1
        from composer_abc.plans import BAR, HEADER

        bars = controls.bars if controls is not None else 0
        return HEADER + BAR * bars if bars else None

    def control_labels(self, controls: AbcControls | None) -> Mapping[str, str]:
        return controls.labels() if isinstance(controls, AbcControls) else {}

    def from_score(self, score: Score) -> Piece[str]:
        return pieces.from_score(score, self.raw, as_primer=False)

    def primer_from_score(self, score: Score) -> Piece[str]:
        return pieces.from_score(score, self.raw, as_primer=True)


@hookimpl
def composer_representation() -> type[Representation]:
    """Register the representation."""
    return Abc
