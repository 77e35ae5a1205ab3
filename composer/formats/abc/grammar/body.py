"""The body of a tune, character by character: what may come at each state, and where it leads.

A state stands at a place in the tune (the plan of the part it is in, the position in the bar, the bars of the line, the
accidentals in force, the notes that are tied) and at a node, which is a place inside a token. A character is only
offered where something that ends the tune can follow it.
"""

from __future__ import annotations

from composer.api import Mask
from composer.formats.abc.dialect.tables import BARS_PER_LINE
from composer.formats.abc.grammar.bar_plan import FIRST_BAR
from composer.formats.abc.grammar.bar_space import PAIR_LENGTH
from composer.formats.abc.grammar.chord_symbols import ChordSymbolGrammar
from composer.formats.abc.grammar.notes import NoteGrammar
from composer.formats.abc.grammar.part_context import PartContext, PartContexts
from composer.formats.abc.grammar.states import FORK, MAY_END, SYMBOLED, Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import END, Vocabulary, tone_of

__all__ = ["Body"]


class Body(NoteGrammar):
    """`allowed` gives the set of characters that may come in a state; `step` takes an allowed one."""

    def __init__(self, vocabulary: Vocabulary, contexts: PartContexts) -> None:
        super().__init__(vocabulary, contexts)
        self.symbols = ChordSymbolGrammar(vocabulary)
        self._allowed = [getattr(self, f"_{node.name.lower()}_mask", None) for node in Node]
        self._step = [getattr(self, f"_{node.name.lower()}", None) for node in Node]

    def initial_state(self, meter: str, key: str, hornpipe: bool) -> State:
        """The state after a header."""
        number = self.contexts.first(meter, key, hornpipe)
        return State(Node.PART, number, alters=self.contexts.all[number].alters)

    def allowed(self, s: State) -> Mask:
        """What may come next; never nothing in a state that was reached by what is allowed."""
        return self._allowed[s.node](s)  # type: ignore[no-any-return,misc]

    def step(self, s: State, character: str) -> State:
        """The state after an allowed character."""
        return self._step[s.node](s, character)  # type: ignore[no-any-return,misc]

    # Where something begins.

    def _part_mask(self, s: State) -> Mask:
        plan = self.contexts.all[s.plan]
        if not plan.may_continue:
            return 1 << END
        mask = self._opening_mask(s, plan) if plan.may_begin(s.place) else 0
        if plan.part(plan.start, True).may_begin(s.place) and ":" in self.vocabulary.ids:
            mask |= self.bit["|"]
        return mask | (1 << END if s.fixed and plan.may_end else 0)

    def _part(self, s: State, character: str) -> State:
        if character == "|":
            return s._replace(node=Node.REPEAT, fixed=0)
        return self._opening(s._replace(fixed=0), character)

    def _repeat_mask(self, s: State) -> Mask:
        return self.bit[":"]

    def _repeat(self, s: State, character: str) -> State:
        plan = self.contexts.all[s.plan]
        return s._replace(node=Node.BEGIN, plan=plan.part(plan.start, True).number)

    def _begin_mask(self, s: State) -> Mask:
        plan = self.contexts.all[s.plan]
        mask = self._opening_mask(s, plan)
        if s.fixed & SYMBOLED:
            return mask & ~self.bit['"']
        return mask | (self.bit["["] if s.fixed & FORK and not s.tied and self._may_start_first_ending(plan) else 0)

    def _begin(self, s: State, character: str) -> State:
        return self._opening(s, character)

    def _may_start_first_ending(self, plan: PartContext) -> bool:
        """Whether `[1` may come."""
        if not plan.repeat or plan.ending or not plan.may_start_first_ending or "1" not in self.vocabulary.ids:
            return False
        return plan.part(plan.start, True, 1).may_begin(0)

    def _opening_mask(self, s: State, plan: PartContext) -> Mask:
        """What something that begins at `place` may begin with."""
        place, tied = s.place, s.tied
        if not tied:
            mask = plan.first_characters(place) & plan.allowed_notes.outside_chords(s.alters)
            return mask | self.bit["["] if plan.may_begin_chord(place) and self._has_chords(s) else mask
        if tied > 255:
            mask = self.bit["["]
        else:
            mask = self._tones_mask(s._replace(kind=ToneKind.NOTE)) if plan.may_begin_note(place) else 0
            mask |= self.bit["("] if plan.may_begin_triplet(place) else 0
        return mask | (self.bit['"'] if self.symbols.any else 0)

    def _opening(self, s: State, character: str) -> State:
        if character == "z":
            return s._replace(node=Node.SOUND, kind=ToneKind.REST, tones=0, length=0, fixed=0)
        if character == '"':
            return s._replace(node=Node.SYMBOL, length=0, fixed=0)
        if character == "(":
            return s._replace(node=Node.PAREN, fixed=0)
        if character == "[":
            return s._replace(node=Node.BRACKET, kind=ToneKind.CHORD, tones=0)
        return self._tone(s._replace(kind=ToneKind.NOTE, tones=0, length=0), character)

    def _bracket_mask(self, s: State) -> Mask:
        plan = self.contexts.all[s.plan]
        fork = s.fixed & FORK and not s.tied and self._may_start_first_ending(plan)
        mask = self.bit["1"] if fork else 0
        return mask | (self._tones_mask(s) if plan.may_begin_chord(s.place) else 0)

    def _bracket(self, s: State, character: str) -> State:
        plan = self.contexts.all[s.plan]
        if character == "1":
            return s._replace(node=Node.BEGIN, plan=plan.part(plan.start, True, 1).number, kind=0, fixed=0)
        return self._tone(s._replace(plan=plan.with_chords.number), character)

    def _paren_mask(self, s: State) -> Mask:
        return self.bit["3"]

    def _paren(self, s: State, character: str) -> State:
        return s._replace(node=Node.TONE, kind=ToneKind.TRIPLE, tones=0, length=0)

    def _symbol_mask(self, s: State) -> Mask:
        return self.symbols.masks[s.length]

    def _symbol(self, s: State, character: str) -> State:
        if character == '"':
            return s._replace(node=Node.BEGIN, length=0, fixed=SYMBOLED)
        return s._replace(length=self.symbols.next[s.length][character])

    # Inside and after something that sounds.

    def _sound_mask(self, s: State) -> Mask:
        mask = 0
        if not s.length and s.kind < ToneKind.CLOSED:
            step, alter = tone_of(s.tones & 255)
            steps = self._steps(s, alter, s.tones >> 8)
            mask = self.vocabulary.further(step, steps)
            if not steps >> step & 1:
                return mask
        if s.kind == ToneKind.CHORD:
            return mask | self._in_chord_mask(s)
        plan = self.contexts.all[s.plan]
        if s.kind == ToneKind.PARTNER:
            return mask | self._after_mask(s, plan, s.place)
        return mask | (
            self._same_mask(s, plan) if ToneKind.TRIPLE < s.kind <= ToneKind.THIRD else self._length_mask(s, plan)
        )

    def _length_mask(self, s: State, plan: PartContext) -> Mask:
        """The rest of the length of a note, a rest, a chord or the first note of a triplet, and what may follow it."""
        masks, done = plan.fits(2 if s.kind == ToneKind.TRIPLE else 1, s.kind == ToneKind.NOTE, s.place)
        mask = masks[s.length]
        if not done >> s.length & 1:
            return mask
        if s.kind == ToneKind.TRIPLE:
            return mask | plan.allowed_notes.first_characters(s.alters)
        mask |= self._after_mask(s, plan, s.place + self.vocabulary.lengths.quarters[s.length])
        if s.kind == ToneKind.NOTE and not s.length and plan.may_begin_pair(s.place):
            mask |= self.bit["<"] | self.bit[">"]
        return mask

    def _same_mask(self, s: State, plan: PartContext) -> Mask:
        """The rest of the length of a triplet's second or third note, which is that of the first."""
        lengths = self.vocabulary.lengths
        if s.length != s.held:
            return self.vocabulary.bits(lengths.prefixes[s.held][len(lengths.prefixes[s.length])])
        if s.kind != ToneKind.THIRD:
            return plan.allowed_notes.first_characters(s.alters)
        return self._after_mask(s, plan, s.place + 2 * lengths.quarters[s.held])

    def _after_mask(self, s: State, plan: PartContext, place: int) -> Mask:
        """What may come after something that ends at `place`."""
        mask = plan.after_element(place) & plan.allowed_notes.outside_chords(s.alters)
        if place % plan.group and plan.may_begin_chord(place) and self._has_chords(s):
            mask |= self.bit["["]
        tie = (
            s.tones and plan.may_tie(place, s.tones > 255) and any(self._tie_continues(plan, place, s.alters, s.tones))
        )
        return mask | (self.bit["-"] if tie else 0)

    def _tie_continues(self, plan: PartContext, place: int, alters: int, tones: int) -> tuple[bool, bool]:
        """Whether `tones`, tied, can go on at `place` and after a bar line there."""
        chord = tones > 255
        on = plan.space.may_continue(place) and plan.tie_may_end(place, chord)
        over = plan.tie_may_cross_bar(place, chord) and plan.expected in (None, tones)
        if chord and len(self.vocabulary.accidentals) < 3:
            on, over = on and self._can_write_chord(alters, tones), over and self._can_write_chord(plan.alters, tones)
        return on, over

    def _sound(self, s: State, character: str) -> State:
        if character in ",'":
            return s._replace(tones=s.tones + (28 if character == "'" else -28))
        if s.kind == ToneKind.CHORD:
            return s._replace(node=Node.SOUND, kind=ToneKind.CLOSED) if character == "]" else self._tone(s, character)
        lengths = self.vocabulary.lengths
        if (more := lengths.next[s.length].get(character)) is not None:
            return s._replace(length=more)
        if character in "<>":
            return State(
                Node.TONE,
                self.contexts.all[s.plan].with_broken_rhythm.number,
                s.place + PAIR_LENGTH,
                s.line,
                s.alters,
                kind=ToneKind.PARTNER,
            )
        return self._sounded(s, character)

    def _sounded(self, s: State, character: str) -> State:
        """A tone or a rest is over, and `character` is the first of what follows."""
        if ToneKind.TRIPLE <= s.kind < ToneKind.THIRD:
            return self._tone(s._replace(kind=s.kind + 1, tied=0, tones=0, length=0, held=s.length), character)
        times = 0 if s.kind == ToneKind.PARTNER else 2 if s.kind == ToneKind.THIRD else 1
        place = s.place + times * self.vocabulary.lengths.quarters[s.length]
        if character == "-":
            return State(Node.TIED, s.plan, place, s.line, s.alters, tied=s.tones)
        return self._next(State(Node.BEGIN, s.plan, place, s.line, s.alters), character)

    def _next(self, s: State, character: str) -> State:
        """After something, which ended at `place`, with or without a tie."""
        if character == " ":
            return s
        if character == "|":
            return s._replace(node=Node.BAR)
        if character == ":":
            return s._replace(node=Node.COLON)
        return self._opening(s, character)

    def _tied_mask(self, s: State) -> Mask:
        plan = self.contexts.all[s.plan]
        on, over = self._tie_continues(plan, s.place, s.alters, s.tied)
        mask = self.bit["|"] if over else 0
        if not on:
            return mask
        return mask | (self._opening_mask(s, plan) if s.place % plan.group else self.bit[" "])

    def _tied(self, s: State, character: str) -> State:
        return self._next(s._replace(node=Node.BEGIN), character)

    # Bar lines.

    def _bar_mask(self, s: State) -> Mask:
        ends, at = self.contexts.all[s.plan].ends, 1 << s.place
        mask = self.bit["]"] if ends.finals & at and not s.tied else 0
        mask |= self.bit["|"] if ends.doubles & at and not s.tied else 0
        return mask | (self.allowed(self._line(s)) if ends.lines & at else 0)

    def _bar(self, s: State, character: str) -> State:
        if character == "]":
            return State(Node.BREAK, fixed=Node.OVER)
        if character == "|":
            return self._close(s, Node.PART)
        return self.step(self._line(s), character)

    def _line(self, s: State) -> State:
        """After `|`."""
        plan = self.contexts.all[s.plan].after_bar_line(s.place)
        whole = plan.start == 0 if self.contexts.all[s.plan].start == FIRST_BAR else s.line & 1
        filled = (s.line >> 1) + whole
        state = State(Node.BEGIN, plan.number, 0, filled << 1 | 1, plan.alters, s.tied, fixed=FORK)
        if filled < BARS_PER_LINE:
            return state
        return state._replace(node=Node.BREAK, line=1, fixed=Node.BEGIN)

    def _close(self, s: State, then: int) -> State:
        """After the last bar line of a part, or of its first ending."""
        plan = self.contexts.all[s.plan].with_first_bar_end(s.place)
        if then == Node.SECOND:
            after = plan.part(plan.start, True, 2).next_bar(True)
            return State(Node.BREAK, after.number, 0, 1, plan.alters, fixed=then)
        after = plan.part(plan.start).next_bar(plan.start == 0)
        return State(Node.BREAK, after.number, plan.start, int(plan.start == 0), plan.alters, fixed=then)

    def _colon_mask(self, s: State) -> Mask:
        return self.bit["|"]

    def _colon(self, s: State, character: str) -> State:
        first = self.contexts.all[s.plan].ending == 1
        return self._close(s, Node.SECOND if first else Node.PART | MAY_END)

    def _break_mask(self, s: State) -> Mask:
        return self.bit["\n"]

    def _break(self, s: State, character: str) -> State:
        node = s.fixed % MAY_END
        fixed = FORK if node == Node.BEGIN else int(s.fixed >= MAY_END)
        return s._replace(node=node, fixed=fixed)

    def _second_mask(self, s: State) -> Mask:
        return self.bit["["]

    def _second(self, s: State, character: str) -> State:
        return s._replace(node=Node.SECOND_BRACKET)

    def _second_bracket_mask(self, s: State) -> Mask:
        return self.bit["2"]

    def _second_bracket(self, s: State, character: str) -> State:
        return s._replace(node=Node.BEGIN)

    def _over_mask(self, s: State) -> Mask:
        return 1 << END
