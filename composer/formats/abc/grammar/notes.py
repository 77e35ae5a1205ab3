"""The grammar of notes (accidental, letter, octave marks; alone, tied, in chords) and of chord symbols."""

from __future__ import annotations

from composer.api import Mask
from composer.formats.abc.dialect.tables import CHORD_KINDS, MAX_TONES
from composer.formats.abc.grammar.allowed_notes import in_force
from composer.formats.abc.grammar.part_context import PartContexts
from composer.formats.abc.grammar.states import Node, State, ToneKind
from composer.formats.abc.grammar.vocabulary import LETTERS, Vocabulary, code_of, tone_of


class ChordSymbolGrammar:
    """Chord symbols as a graph: `masks` and `next` by node; node 0 follows the opening quote."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        roots = [root for root in "ABCDEFG" if root in vocabulary.ids]
        kinds = [kind for kind in CHORD_KINDS.values() if vocabulary.has(kind)]
        graph: dict[str, dict[str, str]] = {
            "": dict.fromkeys(roots, "root"),
            "/": dict.fromkeys(roots, "bass"),
            "bass": {"#": "bass#", "b": "bass#", '"': ""},
            "bass#": {'"': ""},
        }
        for prefix in sorted({kind[:end] for kind in kinds for end in range(len(kind) + 1)}):
            longer = [kind for kind in kinds if kind.startswith(prefix) and kind != prefix]
            after = {kind[len(prefix)]: f":{kind[: len(prefix) + 1]}" for kind in longer}
            graph[f":{prefix}"] = {**after, **({"/": "/", '"': ""} if prefix in kinds else {})}
        graph["root"] = {**graph[":"], "#": ":", "b": ":"}
        numbers = {name: number for number, name in enumerate(graph)}
        self.next = [{sign: numbers[name] for sign, name in moves.items()} for moves in graph.values()]
        self.masks = [vocabulary.bits(moves) for moves in self.next]
        self.any = bool(roots) and vocabulary.has('"')


class NoteGrammar:
    """The notes of the body's automaton: masks and steps for the nodes TONE and ACCIDENTAL, and helpers for others."""

    def __init__(self, vocabulary: Vocabulary, contexts: PartContexts) -> None:
        self.vocabulary, self.contexts = vocabulary, contexts
        self.bit = {character: vocabulary.bits(character) for character in '\n"#()-/:<>[]b|z 123'}

    def _steps(self, s: State, alter: int, tones: int) -> int:
        """Return the steps, as bits, that a note altered by `alter` may have after the chord's `tones` so far."""
        if s.tied:
            count, length = (tones.bit_length() + 7) >> 3, (s.tied.bit_length() + 7) >> 3
            step, tied_alter = tone_of(s.tied >> 8 * (length - 1 - count) & 255)
            return 1 << step if alter == tied_alter else 0
        allowed = self.contexts.all[s.context].allowed_notes
        return allowed.allowed_steps(s.alters, alter, tones & 255, s.kind == ToneKind.CHORD)

    def _tone_mask(self, s: State) -> Mask:
        """Return the first characters of the next note."""
        vocabulary = self.vocabulary
        if not s.tied:
            allowed = self.contexts.all[s.context].allowed_notes
            return allowed.first_characters(s.alters, s.tones & 255, s.kind == ToneKind.CHORD)
        count = (s.tied.bit_length() - s.tones.bit_length() + 7) // 8
        step, alter = tone_of(s.tied >> 8 * (count - 1) & 255)
        mask = sum(1 << vocabulary.ids[sign] for sign, other in vocabulary.accidentals.items() if other == alter)
        return mask | (vocabulary.letters_of(1 << step) if in_force(s.alters, step) == alter else 0)

    def _tone(self, s: State, character: str) -> State:
        if character in self.vocabulary.accidentals:
            return s._replace(node=Node.ACCIDENTAL, extra=self.vocabulary.accidentals[character] + 1)
        return self._letter(s, character, in_force(s.alters, LETTERS[character]))

    def _accidental_mask(self, s: State) -> Mask:
        return self.vocabulary.letters_of(self._steps(s, s.extra - 1, s.tones))

    def _accidental(self, s: State, character: str) -> State:
        shift, alter = 2 * (LETTERS[character] % 7), s.extra - 1
        alters = s.alters & ~(3 << shift) | s.extra << shift
        return self._letter(s._replace(alters=alters), character, alter)

    def _letter(self, s: State, character: str, alter: int) -> State:
        tones = s.tones << 8 if s.kind == ToneKind.CHORD else 0
        return s._replace(node=Node.SOUND, tones=tones | code_of(LETTERS[character], alter), length=0, extra=0)

    def _has_chords(self, s: State) -> bool:
        return self.contexts.all[s.context].allowed_notes.has_chords(s.alters)

    def _in_chord_mask(self, s: State) -> Mask:
        count = (s.tones.bit_length() + 7) >> 3
        if s.tied:
            return self.bit["]"] if s.tied == s.tones else self._tone_mask(s)
        mask = self.bit["]"] if count > 1 else 0
        return mask | (self._tone_mask(s) if count < MAX_TONES else 0)

    def _can_write_chord(self, alters: int, tones: int) -> bool:
        """Return whether the vocabulary can write the chord `tones` when `alters` are in force."""
        for shift in range((tones.bit_length() - 1) & ~7, -1, -8):
            step, alter = tone_of(tones >> shift & 255)
            if in_force(alters, step) != alter:
                if alter not in self.vocabulary.accidentals.values():
                    return False
                at = 2 * (step % 7)
                alters = alters & ~(3 << at) | (alter + 1) << at
        return True
