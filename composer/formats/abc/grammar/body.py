"""The automaton for the body of a tune: which characters may follow each state, and the state after each of them.

A state (see `states`) is a node, which says where in a token we are, plus what the grammar has to remember: the kind of
part and the bars left (the context), the position in the bar, full bars in the line, accidentals, tied notes. A
character is only allowed if the tune can still be completed after it.
"""

from __future__ import annotations

from composer.api import Mask
from composer.formats.abc.dialect.tables import BARS_PER_LINE
from composer.formats.abc.grammar.bar_plan import FIRST_BAR
from composer.formats.abc.grammar.bar_space import PAIR_LENGTH
from composer.formats.abc.grammar.notes import ChordSymbolGrammar, NoteGrammar
from composer.formats.abc.grammar.part_context import PartContext, PartContexts
from composer.formats.abc.grammar.states import AFTER_SYMBOL, FIRST_ENDING, FORCED, MAY_END, Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import END, Vocabulary, tone_of


class Body(NoteGrammar):
    """`allowed` returns the characters that may follow a state; `step` returns the state after one of them.

    Each node has a method for either, found by its name: `_bar_mask` and `_bar` for Node.BAR.
    """

    def __init__(self, vocabulary: Vocabulary, contexts: PartContexts) -> None:
        super().__init__(vocabulary, contexts)
        self.symbols = ChordSymbolGrammar(vocabulary)
        self._allowed = [getattr(self, f"_{node.name.lower()}_mask", None) for node in Node]
        self._step = [getattr(self, f"_{node.name.lower()}", None) for node in Node]

    def initial_state(self, meter: str, key: str, hornpipe: bool) -> State:
        """Return the state after a header."""
        number = self.contexts.first(meter, key, hornpipe)
        return State(Node.PART, number, alters=self.contexts.all[number].alters)

    def allowed(self, s: State) -> Mask:
        """Return the mask of the characters that may follow; never empty in a state reached by allowed characters."""
        if s.node in FORCED:
            return self.bit[FORCED[s.node]]
        return self._allowed[s.node](s)  # type: ignore[no-any-return,misc]

    def step(self, s: State, character: str) -> State:
        return self._step[s.node](s, character)  # type: ignore[no-any-return,misc]

    # Starts of parts and elements.

    def _part_mask(self, s: State) -> Mask:
        context = self.contexts.all[s.context]
        if not context.may_continue:
            return 1 << END
        mask = self._element_start_mask(s, context) if context.may_begin(s.position) else 0
        if context.part(context.start, True).may_begin(s.position) and ":" in self.vocabulary.ids:
            mask |= self.bit["|"]
        return mask | (1 << END if s.extra and context.may_end else 0)

    def _part(self, s: State, character: str) -> State:
        if character == "|":
            return s._replace(node=Node.REPEAT, extra=0)
        return self._element(s._replace(extra=0), character)

    def _repeat(self, s: State, character: str) -> State:
        context = self.contexts.all[s.context]
        return s._replace(node=Node.ELEMENT, context=context.part(context.start, True).number)

    def _element_mask(self, s: State) -> Mask:
        context = self.contexts.all[s.context]
        mask = self._element_start_mask(s, context)
        if s.extra & AFTER_SYMBOL:
            return mask & ~self.bit['"']
        return mask | (self.bit["["] if self._may_start_first_ending(s) else 0)

    def _may_start_first_ending(self, s: State) -> bool:
        context = self.contexts.all[s.context]
        if not s.extra & FIRST_ENDING or s.tied or "1" not in self.vocabulary.ids:
            return False
        if not context.repeat or context.ending or not context.may_start_first_ending:
            return False
        return context.part(context.start, True, 1).may_begin(0)

    def _element_start_mask(self, s: State, context: PartContext) -> Mask:
        """Return the first characters of elements that may start here."""
        position, tied = s.position, s.tied
        if not tied:
            mask = context.first_characters(position) & context.allowed_notes.outside_chords(s.alters)
            return mask | self.bit["["] if context.may_begin_chord(position) and self._has_chords(s) else mask
        if tied > 255:
            mask = self.bit["["]
        else:
            mask = self._tone_mask(s._replace(kind=ToneKind.NOTE)) if context.may_begin_note(position) else 0
            mask |= self.bit["("] if context.may_begin_triplet(position) else 0
        return mask | (self.bit['"'] if self.symbols.any else 0)

    def _element(self, s: State, character: str) -> State:
        if character == "z":
            return s._replace(node=Node.SOUND, kind=ToneKind.REST, tones=0, length=0, extra=0)
        if character == '"':
            return s._replace(node=Node.SYMBOL, length=0, extra=0)
        if character == "(":
            return s._replace(node=Node.PAREN, extra=0)
        if character == "[":
            return s._replace(node=Node.BRACKET, kind=ToneKind.CHORD, tones=0)
        return self._tone(s._replace(kind=ToneKind.NOTE, tones=0, length=0), character)

    def _bracket_mask(self, s: State) -> Mask:
        context = self.contexts.all[s.context]
        mask = self.bit["1"] if self._may_start_first_ending(s) else 0
        return mask | (self._tone_mask(s) if context.may_begin_chord(s.position) else 0)

    def _bracket(self, s: State, character: str) -> State:
        context = self.contexts.all[s.context]
        if character == "1":
            return s._replace(node=Node.ELEMENT, context=context.part(context.start, True, 1).number, kind=0, extra=0)
        return self._tone(s._replace(context=context.with_chords.number), character)

    def _paren(self, s: State, character: str) -> State:
        return s._replace(node=Node.TONE, kind=ToneKind.TRIPLET_FIRST, tones=0, length=0)

    def _symbol_mask(self, s: State) -> Mask:
        return self.symbols.masks[s.length]

    def _symbol(self, s: State, character: str) -> State:
        if character == '"':
            return s._replace(node=Node.ELEMENT, length=0, extra=AFTER_SYMBOL)
        return s._replace(length=self.symbols.next[s.length][character])

    # Inside and after elements.

    def _sound_mask(self, s: State) -> Mask:
        mask = 0
        if not s.length and s.kind < ToneKind.CHORD_CLOSED:
            step, alter = tone_of(s.tones & 255)
            steps = self._steps(s, alter, s.tones >> 8)
            mask = self.vocabulary.further(step, steps)
            if not steps >> step & 1:
                return mask
        if s.kind == ToneKind.CHORD:
            return mask | self._in_chord_mask(s)
        context = self.contexts.all[s.context]
        if s.kind == ToneKind.PAIR_SECOND:
            return mask | self._after_mask(s, context, s.position)
        later = ToneKind.TRIPLET_FIRST < s.kind <= ToneKind.TRIPLET_THIRD
        return mask | (self._same_mask(s, context) if later else self._length_mask(s, context))

    def _length_mask(self, s: State, context: PartContext) -> Mask:
        """Return what may continue or follow the length of a note, rest, chord or a triplet's first note."""
        masks, done = context.fits(2 if s.kind == ToneKind.TRIPLET_FIRST else 1, s.kind == ToneKind.NOTE, s.position)
        mask = masks[s.length]
        if not done >> s.length & 1:
            return mask
        if s.kind == ToneKind.TRIPLET_FIRST:
            return mask | context.allowed_notes.first_characters(s.alters)
        mask |= self._after_mask(s, context, s.position + self.vocabulary.lengths.quarters[s.length])
        if s.kind == ToneKind.NOTE and not s.length and context.may_begin_pair(s.position):
            mask |= self.bit["<"] | self.bit[">"]
        return mask

    def _same_mask(self, s: State, context: PartContext) -> Mask:
        """Return what may continue or follow the length of a triplet's later notes, which equals the first one's."""
        lengths = self.vocabulary.lengths
        if s.length != s.triplet_length:
            return self.vocabulary.bits(lengths.prefixes[s.triplet_length][len(lengths.prefixes[s.length])])
        if s.kind != ToneKind.TRIPLET_THIRD:
            return context.allowed_notes.first_characters(s.alters)
        return self._after_mask(s, context, s.position + 2 * lengths.quarters[s.triplet_length])

    def _after_mask(self, s: State, context: PartContext, position: int) -> Mask:
        """Return what may follow an element that ends at `position`."""
        mask = context.after_element(position) & context.allowed_notes.outside_chords(s.alters)
        if position % context.group and context.may_begin_chord(position) and self._has_chords(s):
            mask |= self.bit["["]
        if s.tones and context.may_tie(position, s.tones > 255):
            mask |= self.bit["-"] if any(self._tie_continues(context, position, s.alters, s.tones)) else 0
        return mask

    def _tie_continues(self, context: PartContext, position: int, alters: int, tones: int) -> tuple[bool, bool]:
        """Return whether the tied `tones` can continue at `position`, and after a bar line there."""
        chord = tones > 255
        here = context.space.may_continue(position) and context.tie_may_end(position, chord)
        across = context.tie_may_cross_bar(position, chord) and context.expected_tones in (None, tones)
        if chord and len(self.vocabulary.accidentals) < 3:
            here = here and self._can_write_chord(alters, tones)
            across = across and self._can_write_chord(context.alters, tones)
        return here, across

    def _sound(self, s: State, character: str) -> State:
        if character in ",'":
            return s._replace(tones=s.tones + (28 if character == "'" else -28))
        if s.kind == ToneKind.CHORD and character == "]":
            return s._replace(node=Node.SOUND, kind=ToneKind.CHORD_CLOSED)
        if s.kind == ToneKind.CHORD:
            return self._tone(s, character)
        lengths = self.vocabulary.lengths
        if (longer := lengths.next[s.length].get(character)) is not None:
            return s._replace(length=longer)
        if character in "<>":
            context, end = self.contexts.all[s.context].with_broken_rhythm.number, s.position + PAIR_LENGTH
            return State(Node.TONE, context, end, s.line, s.alters, kind=ToneKind.PAIR_SECOND)
        return self._after_sound(s, character)

    def _after_sound(self, s: State, character: str) -> State:
        """Return the state after a note or rest, when `character` is the first one after it."""
        if ToneKind.TRIPLET_FIRST <= s.kind < ToneKind.TRIPLET_THIRD:
            following = s._replace(kind=s.kind + 1, tied=0, tones=0, length=0, triplet_length=s.length)
            return self._tone(following, character)
        times = 0 if s.kind == ToneKind.PAIR_SECOND else 2 if s.kind == ToneKind.TRIPLET_THIRD else 1
        position = s.position + times * self.vocabulary.lengths.quarters[s.length]
        if character == "-":
            return State(Node.TIED, s.context, position, s.line, s.alters, tied=s.tones)
        return self._next(State(Node.ELEMENT, s.context, position, s.line, s.alters), character)

    def _next(self, s: State, character: str) -> State:
        """Return the state after `character`, which follows an element or its tie."""
        if character == " ":
            return s
        if character == "|":
            return s._replace(node=Node.BAR)
        if character == ":":
            return s._replace(node=Node.COLON)
        return self._element(s, character)

    def _tied_mask(self, s: State) -> Mask:
        context = self.contexts.all[s.context]
        here, across = self._tie_continues(context, s.position, s.alters, s.tied)
        mask = self.bit["|"] if across else 0
        if not here:
            return mask
        return mask | (self._element_start_mask(s, context) if s.position % context.group else self.bit[" "])

    def _tied(self, s: State, character: str) -> State:
        return self._next(s._replace(node=Node.ELEMENT), character)

    # Bar lines.

    def _bar_mask(self, s: State) -> Mask:
        ends, at = self.contexts.all[s.context].ends, 1 << s.position
        mask = self.bit["]"] if ends.finals & at and not s.tied else 0
        mask |= self.bit["|"] if ends.doubles & at and not s.tied else 0
        return mask | (self.allowed(self._line(s)) if ends.lines & at else 0)

    def _bar(self, s: State, character: str) -> State:
        if character == "]":
            return State(Node.LINE_END, extra=Node.DONE)
        if character == "|":
            return self._close(s, Node.PART)
        return self.step(self._line(s), character)

    def _line(self, s: State) -> State:
        """Return the state after `|` as a plain bar line."""
        context = self.contexts.all[s.context].after_bar_line(s.position)
        full = context.start == 0 if self.contexts.all[s.context].start == FIRST_BAR else s.line & 1
        filled = (s.line >> 1) + full
        state = State(Node.ELEMENT, context.number, 0, filled << 1 | 1, context.alters, s.tied, extra=FIRST_ENDING)
        if filled < BARS_PER_LINE:
            return state
        return state._replace(node=Node.LINE_END, line=1, extra=Node.ELEMENT)

    def _close(self, s: State, then: int) -> State:
        """Return the state after the last bar line of a part or of its first ending; `then` is the next node."""
        context = self.contexts.all[s.context].with_first_bar_end(s.position)
        if then == Node.SECOND:
            after = context.part(context.start, True, 2).next_bar(True)
            return State(Node.LINE_END, after.number, 0, 1, context.alters, extra=then)
        after = context.part(context.start).next_bar(context.start == 0)
        return State(Node.LINE_END, after.number, context.start, int(context.start == 0), context.alters, extra=then)

    def _colon(self, s: State, character: str) -> State:
        first = self.contexts.all[s.context].ending == 1
        return self._close(s, Node.SECOND if first else Node.PART | MAY_END)

    def _line_end(self, s: State, character: str) -> State:
        node = s.extra % MAY_END
        return s._replace(node=node, extra=FIRST_ENDING if node == Node.ELEMENT else int(s.extra >= MAY_END))

    def _second(self, s: State, character: str) -> State:
        return s._replace(node=Node.SECOND_BRACKET)

    def _second_bracket(self, s: State, character: str) -> State:
        return s._replace(node=Node.ELEMENT)

    def _done_mask(self, s: State) -> Mask:
        return 1 << END
