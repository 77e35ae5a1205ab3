"""Infill: keep some bars of a given tune and generate the others, in the same form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from composer.api import Constraint, Mask, Step, Unsatisfiable
from composer.formats.abc.grammar.automaton import Automaton
from composer.formats.abc.grammar.bar_plan import FixedBar, FixedBars, Hornpipe
from composer.formats.abc.grammar.controls import NO_CONTROLS, TuneControls
from composer.formats.abc.grammar.states import Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import END, Vocabulary
from composer.music.bar_ranges import BarRanges
from composer.music.keys import parse_key

__all__ = ["InfillConstraint"]

_HEADER = re.compile(r"(?:[A-Z]:.*(?:\n|$))*")
_BAR = re.compile(r"(?:\|:)?(?P<ending>\[[12])?(?P<notes>[^|:\n]+)(?P<mark>:\||\|\||\|\]|\|)\n?")


class BarText(NamedTuple):
    """A bar of a tune: its notes are `text[start:end]`, followed by the bar line `mark`.

    `number` counts the written bars from 1; pickups have 0. `position` is where the bar ends, and `tones` holds its
    first notes (see `states.State`).
    """

    start: int
    end: int
    mark: str
    number: int
    position: int
    tones: int
    starts_first_ending: bool


def bars_of(text: str, automaton: Automaton) -> list[BarText]:
    """Return the bars of a tune that `automaton` accepts."""
    header = _HEADER.match(text)
    assert header is not None
    states = _states(text, automaton)
    found: list[BarText] = []
    pickup, part_starts, number = 0, True, 0
    for match in _BAR.finditer(text, header.end()):
        start, end = match.span("notes")
        position = states[end + 1].position
        bar = automaton.body.contexts.all[states[end].context].bar
        if not found:
            pickup = (bar - position) % bar
        full = not part_starts or pickup == 0
        number += full
        tones = _first_tones(states[start + 1 : end + 1])
        mark = match["mark"]
        found.append(BarText(start, end, mark, number if full else 0, position, tones, match["ending"] == "[1"))
        part_starts = mark in ("||", "|]") or (mark == ":|" and text[match.end() : match.end() + 2] != "[2")
    return found


class InfillConstraint(Constraint):
    """The tunes that differ from `text` only in the notes of bars that are not in `keep_bars`.

    A state combines one of an Automaton with an index into the text: of the next character if that is fixed, or of the
    start of an open bar. Raises Unsatisfiable if no such tune satisfies `controls`.
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
            raise Unsatisfiable(
                f"the tune has {count} bars, and infilling does not change that", "leave out --bars", flags=("--bars",)
            )
        free = [bar for bar in bars if bar.number and bar.number not in keep_bars]
        given = [FixedBar(b.position, b.mark, b.starts_first_ending, None if b in free else b.tones) for b in bars]
        kept = "".join(text[bar.start : bar.end] for bar in bars if bar not in free)
        hornpipe: Hornpipe = "chords" if "[" in kept else "broken rhythm" if re.search("[<>]", kept) else ""
        self.automaton = Automaton(vocabulary, controls, FixedBars(given, hornpipe))
        self.text, self.open_bars = text, {bar.start: bar.end for bar in free}
        self._size = len(text) + 1
        self._ids, self._marks = vocabulary.ids, vocabulary.bits("|:")
        self._check(controls, bars)

    def start(self, primer: Sequence[Step]) -> int:
        state = 0
        for step in primer:
            if not isinstance(step, int) or not self.allowed(state) >> step & 1:
                raise Unsatisfiable("the primer is not the start of the tune to infill", "leave it out")
            state = self.step(state, step)
        return state

    def automaton_state(self, state: int) -> int:
        """Return the state of `automaton` in a state."""
        return state // self._size

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

    def fixed_step(self, state: int) -> int | None:
        at = state % self._size
        return None if at in self.open_bars else at

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
        """Raise Unsatisfiable if the kept bars violate `controls`; one completed tune passes through all of them."""
        state, step = 0, -1
        while step != END:
            inner, at = divmod(state, self._size)
            mask = self.allowed(state)
            if not mask:
                reason = header_conflict(self.text, at, controls.arguments)
                number = next((bar.number for bar in bars if at <= bar.end), 0)
                if reason:
                    raise Unsatisfiable(
                        f"the tune {reason}",
                        f"leave out --{' or --'.join(controls.arguments)}",
                        flags=tuple(f"--{name}" for name in controls.arguments),
                    )
                raise Unsatisfiable(f"{f'bar {number}' if number else 'the pickup'} is kept but does not fit")
            step = self.automaton.next_of_completion(inner, mask) if at in self.open_bars else mask.bit_length() - 1
            state = self.step(state, step)


def header_conflict(text: str, at: int, controls: Collection[str]) -> str:
    """Return what the header of `text` says against the named controls (`is in 4/4`), if character `at`, the first that
    they do not allow, is in the header; else an empty string.
    """
    header = _HEADER.match(text)
    if header is None or at >= header.end():
        return ""
    line = text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
    name, _, value = line.partition(":")
    if name != "R" and "rhythm" in controls:
        return "names no rhythm"
    if name == "R":
        return f"is a {value}"
    key = parse_key(value) if name == "K" and "mode" in controls else None
    return f"is in {key.tonic} {key.mode}" if key is not None else f"is in {value}"


def _states(text: str, automaton: Automaton) -> list[State]:
    """Return the states before each character and after the last one."""
    number, found = 0, []
    for character in text:
        found.append(automaton.state(number))
        number = automaton.step(number, automaton.vocabulary.ids[character])
    return [*found, automaton.state(number)]


def _first_tones(states: Iterable[State]) -> int:
    """Return the notes of the first element among the states of a bar, 0 for a rest."""
    tones, position = 0, -1
    for s in states:
        sounding = s.node == Node.SOUND and s.kind != ToneKind.CHORD
        if position >= 0 and not (sounding and s.position == position and s.kind != ToneKind.TRIPLET_FIRST + 1):
            break
        if sounding:
            tones, position = s.tones, s.position
    return tones
