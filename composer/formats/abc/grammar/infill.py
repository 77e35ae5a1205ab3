"""A given tune of which some bars stay and others are composed anew, in the form that it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.bar_plan import FixedBar, FixedBars, Hornpipe
from composer.formats.abc.grammar.controls import NO_CONTROLS, TuneControls
from composer.formats.abc.grammar.messages import header_conflict
from composer.formats.abc.grammar.states import Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import END, Vocabulary
from composer.music.bar_ranges import BarRanges

__all__ = ["BarText", "InfillConstraint", "bars_of"]

_HEADER = re.compile(r"(?:[A-Z]:.*\n)*")
_BAR = re.compile(r"(?:\|:)?(?P<fork>\[[12])?(?P<notes>[^|:\n]+)(?P<mark>:\||\|\||\|\]|\|)\n?")


class BarText(NamedTuple):
    """A bar of a tune: its notes are `text[begin:end]`, and `mark` ends it.

    `number` counts the bars as they are written, from 1 on; a pickup, the tune's or a part's, has none and is 0. The
    bar ends at `position`. The tones of its first sound are `tones`; see `states`.
    """

    start: int
    end: int
    mark: str
    number: int
    position: int
    tones: int
    starts_first_ending: bool


def bars_of(text: str, automaton: Automaton) -> list[BarText]:
    """The bars of a tune of the dialect, which `automaton` takes."""
    header = _HEADER.match(text)
    assert header is not None
    states = _states(text, automaton)
    found: list[BarText] = []
    start, fresh, number = 0, True, 0
    for match in _BAR.finditer(text, header.end()):
        begin, end = match.span("notes")
        place = states[end + 1].place
        bar = automaton.body.contexts.all[states[end].plan].bar
        if not found:
            start = (bar - place) % bar
        full = not fresh or start == 0
        number += full
        tones = _first_tones(states[begin + 1 : end + 1])
        mark = match["mark"]
        found.append(BarText(begin, end, mark, number if full else 0, place, tones, match["fork"] == "[1"))
        fresh = mark in ("||", "|]") or (mark == ":|" and text[match.end() : match.end() + 2] != "[2")
    return found


class InfillConstraint(Constraint):
    """The tunes that differ from `text`, a tune of the dialect, in nothing but the notes of bars that are not `kept`.

    A state is that of an automaton and the place in the text: of the next character where it must be that one, of the
    bar's beginning where a bar is free. Raises Unsatisfiable where no such tune has what is `wanted`.
    """

    def __init__(
        self, vocabulary: Vocabulary, text: str, keep_bars: BarRanges, controls: TuneControls = NO_CONTROLS
    ) -> None:
        plain = Automaton(vocabulary)
        plain.start([vocabulary.ids.get(character, -1) for character in text])
        bars = bars_of(text, plain)
        count = max(bar.number for bar in bars)
        keep_bars.check(count)
        if controls.bars not in (0, count):
            raise Unsatisfiable(f"the tune has {count} bars, and keeps as many", "leave out --bars")
        free = [bar for bar in bars if bar.number and bar.number not in keep_bars]
        given = [
            FixedBar(bar.position, bar.mark, bar.starts_first_ending, None if bar in free else bar.tones)
            for bar in bars
        ]
        staying = "".join(text[bar.start : bar.end] for bar in bars if bar not in free)
        hornpipe: Hornpipe = "chords" if "[" in staying else "broken rhythm" if re.search("[<>]", staying) else ""
        self.automaton = Automaton(vocabulary, controls, FixedBars(given, hornpipe))
        self.text, self.open_bars = text, {bar.start: bar.end for bar in free}
        self._size = len(text) + 1
        self._ids, self._marks = vocabulary.ids, vocabulary.bits("|:")
        self._check(controls, bars)

    def start(self, primer: Sequence[Step]) -> int:
        state = 0
        for step in primer:
            if not isinstance(step, int) or not self.allowed(state) >> step & 1:
                raise Unsatisfiable("the opening is not that of the tune of which bars are kept", "leave it out")
            state = self.step(state, step)
        return state

    def step(self, state: int, step: Step) -> int:
        inner, at = divmod(state, self._size)
        assert isinstance(step, int)
        if at not in self.open_bars:
            at = min(at + 1, len(self.text))
        elif self._marks >> step & 1:
            at = self.open_bars[at] + 1
        return self.automaton.step(inner, step) * self._size + at

    def allowed(self, state: int) -> Mask:
        inner, at = divmod(state, self._size)
        mask = self.automaton.allowed(inner)
        if at not in self.open_bars:
            return mask & 1 << (self._ids[self.text[at]] if at < len(self.text) else END)
        if self.automaton.state(inner).node == Node.PART:
            mask &= ~self._marks
        return mask & ~(1 << END)

    def complete(self, state: int) -> Sequence[Step]:
        steps: list[int] = []
        while not steps or steps[-1] != END:
            inner, at = divmod(state, self._size)
            mask = self.allowed(state)
            forced = at not in self.open_bars
            steps.append(mask.bit_length() - 1 if forced else self.automaton.next_of_completion(inner, mask))
            state = self.step(state, steps[-1])
        return steps

    def _check(self, controls: TuneControls, bars: Sequence[BarText]) -> None:
        """Raise Unsatisfiable where what is kept has not what is wanted: one way to the end meets all of it."""
        state, step = 0, -1
        while step != END:
            inner, at = divmod(state, self._size)
            mask = self.allowed(state)
            if not mask:
                why = header_conflict(self.text, at, controls.words, "the tune")
                number = next((bar.number for bar in bars if at <= bar.end), 0)
                where = f"bar {number}" if number else "a pickup"
                raise Unsatisfiable(why or f"{where} stays as it is, and has not what is wished")
            step = self.automaton.next_of_completion(inner, mask) if at in self.open_bars else mask.bit_length() - 1
            state = self.step(state, step)


def _states(text: str, automaton: Automaton) -> list[State]:
    """The states before each character and after the last one."""
    number, found = 0, []
    for character in text:
        found.append(automaton.state(number))
        number = automaton.step(number, automaton.vocabulary.ids[character])
    return [*found, automaton.state(number)]


def _first_tones(states: Iterable[State]) -> int:
    """The tones of the first sound among the states of a bar's notes, 0 for a rest."""
    tones, place = 0, -1
    for s in states:
        sounding = s.node == Node.SOUND and s.kind != ToneKind.CHORD
        if place >= 0 and not (sounding and s.place == place and s.kind != ToneKind.TRIPLE + 1):
            break
        if sounding:
            tones, place = s.tones, s.place
    return tones
