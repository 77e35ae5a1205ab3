"""A jam: play what is composed in time, listen, follow the keys, and record."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from composer.api import ComposerError, Meter, Score
from composer.cli.jam.bars import JamBar
from composer.cli.jam.improviser import Improviser
from composer.cli.jam.performance import Performance
from composer.cli.jam.phrases import Listener, PhraseDetector, as_score
from composer.cli.jam.recording import Recording
from composer.cli.jam.tunes import Settings, TuneComposer
from composer.cli.play.keys import split_keys
from composer.cli.play.session import Quit, clock
from composer.cli.render.text import count_noun
from composer.playback.port_player import LivePlayer

if TYPE_CHECKING:
    from composer.cli.console import Console

LEAD = 0.4
"""Seconds before it sounds at which a bar is handed to the player."""
RESPONSE = 1.5
"""Seconds of music that are kept when the player changes something, since composing takes time."""
SWITCH_SECONDS = 0.0005
"""How long a thread may keep others from running: notes are late by no more."""
REST = 0.7
"""The part of a bar after which a phrase is over, so that its answer can begin after a bar of rest."""
TEMPERATURE_STEP, MAX_TEMPERATURE = 0.05, 2.0
DENSITIES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Onsets per beat."""
MAX_SHIFT = 24
KEPT_BARS, KEPT_NOTES = 64, 4096
"""Bars and notes of the keyboard that are kept when there are twice as many, unless they are recorded."""
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_NAMES = {f"\033{mode}{letter}": name for letter, name in _ARROWS.items() for mode in "[O"}
HELP = ("up/down: temp", "left/right: density", "+/-: key", "r: record", "space: pause", "q: quit")


class Jam:
    """The state of a jam. Without a `listener` music is composed endlessly; with one, phrases are answered."""

    def __init__(
        self,
        console: Console,
        tunes: TuneComposer,
        settings: Settings,
        player: LivePlayer,
        meter: Meter,
        bpm: float,
        listener: Listener | None = None,
    ) -> None:
        self.performance, self.waits, self.saved = Performance(bpm), 0, list[str]()
        self._console, self._tunes, self._settings, self._player = console, tunes, settings, player
        self._meter, self._bpm, self._listener = meter, bpm, listener
        self._accepted = settings
        self._phrases = PhraseDetector(REST * float(meter.bar) * 60 / bpm, self.performance.hear)
        self._improviser = Improviser()
        self._shift = 0
        self._recording: Recording | None = None
        self._note = ""
        self._is_playing = False
        if listener is None:
            self._improviser.compose(lambda: tunes.endless(settings))

    @property
    def coming(self) -> list[JamBar]:
        """The bars that are ready, as they will sound."""
        return [each.transposed(self._shift) for each in self._improviser.ready]

    @property
    def beat(self) -> Fraction:
        """The beat that is playing."""
        return self.performance.beat(self._player.position)

    def advance(self) -> None:
        """Do what is due now. Raises ComposerError."""
        self._player.check()
        if self._listener is not None:
            self._listen(self._listener)
        self._check()
        self._feed()
        self._forget()

    def press(self, keys: str) -> None:
        """Do what the pressed keys say. Raises Quit, ComposerError."""
        for key in split_keys(keys):
            if key in "qQ\x04":
                raise Quit
            if action := self._actions.get(_NAMES.get(key, key)):
                self._note = ""
                action()

    @property
    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "up": lambda: self._change_temperature(TEMPERATURE_STEP),
            "down": lambda: self._change_temperature(-TEMPERATURE_STEP),
            "right": lambda: self._change_density(1), "left": lambda: self._change_density(-1),
            "+": lambda: self._transpose(1), "=": lambda: self._transpose(1), "-": lambda: self._transpose(-1),
            "r": self.record, "R": self.record, " ": self._pause,
        }  # fmt: skip

    def status(self) -> tuple[str, str]:
        """Return two lines: the time and the settings, and the keys."""
        state = "paused" if self._player.is_paused else "playing" if self._is_playing else "composing"
        if self._listener is not None and not self._is_playing:
            state = "hearing you" if not self._phrases.is_empty else "listening"
        parts = [clock(self._player.position), state, f"temp {self._settings.temperature:.2f}"]
        if self._tunes.has_density:
            parts.append(f"density {self._settings.density or 'free'}")
        parts.append(f"key {self._shift:+}")
        if self._recording is not None:
            parts.append(f"recording {self._recording.path}")
        help_text = (each for each in HELP if self._tunes.has_density or "density" not in each)
        return "  ".join([*parts, self._note]).rstrip(), "  ".join(help_text)

    def record(self) -> None:
        """Begin to record at the current bar, or save the recording. Raises ComposerError."""
        if self._recording is None:
            self._recording = Recording(self.beat)
            return
        recording, self._recording, stop = self._recording, None, self.beat
        path = recording.save(self.performance, stop, self._phrases.held(self._player.position))
        self._note = f"wrote {path}" if path is not None else "nothing was played, so nothing was written"
        if path is not None:
            self.saved.append(str(path))

    def end(self) -> None:
        """Stop composing, and save what is being recorded. Raises ComposerError."""
        self._improviser.stop()
        if self._recording is not None:
            self.record()

    def _feed(self) -> None:
        """Hand the bars that come next to the player, and wait for them where they are not ready."""
        now = self._player.position
        if not self._is_playing:
            if not self._improviser.can_begin:
                return
            self._is_playing = True
            self._wait_until(now + LEAD)
        while self.performance.end_seconds < now + LEAD:
            bar = self._improviser.take()
            if bar is not None:
                self._player.add(self.performance.append(bar.transposed(self._shift)))
            elif self._improviser.is_done:
                self._is_playing = self.performance.end_seconds > now and self._is_playing
                return
            elif self.performance.end_seconds < now + LEAD / 4:
                self.waits += 1
                self.performance.rest(Fraction(1))
            else:
                return

    def _wait_until(self, seconds: float) -> None:
        """Rest until a time; in answers, until the next bar line after it."""
        if self._listener is None or not self.performance.bars:
            self.performance.rest_until(seconds)
            return
        bar = self._meter.bar
        missing = (self.performance.beat(seconds) - self.performance.end) / bar
        self.performance.rest(max(ceil(missing), 0) * bar)

    def _check(self) -> None:
        """Take back a setting that the model cannot follow. Raises the error if it was another one."""
        failure = self._improviser.failure
        if failure is None:
            self._accepted = self._settings if self._improviser.has_begun else self._accepted
            return
        if not isinstance(failure, ComposerError):
            raise failure
        self._note = failure.message
        if self._listener is not None:
            self._note = f"cannot answer: {failure.message}"
            self._improviser.compose(None)
            self._console_say(self._note)
        elif self._settings != self._accepted:
            self._settings = self._accepted
            self._recompose()
        else:
            raise failure

    def _listen(self, listener: Listener) -> None:
        """Follow the keyboard: end the answer when it begins, and answer when it rests."""
        for seconds, message in listener.heard():
            was_empty = self._phrases.is_empty
            self._phrases.hear(seconds, message)
            if was_empty and not self._phrases.is_empty:
                self._improviser.compose(None)
                self._player.clear()
                self.performance.stop(seconds)
                self._is_playing, self._note = False, ""
        if played := self._phrases.phrase(self._player.position):
            notes, settings = [self.performance.note_of(each) for each in played], self._settings
            phrase = as_score(notes, self._meter, self._bpm)
            self._add_phrase(phrase, played[0].start)
            self._improviser.compose(lambda: self._tunes.answer(phrase, settings))
            self._console_say(f"answering {count_noun(len(played), 'note')}")

    def _add_phrase(self, phrase: Score, start: float) -> None:
        """Leave the bars of a phrase to the player, who began at a time in seconds."""
        self.performance.rest_until(start)
        for number in range(max(ceil(phrase.duration / self._meter.bar), 1)):
            self.performance.append(JamBar((), self._meter.bar, self._meter, self._bpm, starts=not number))

    def _forget(self) -> None:
        """Keep the memory bounded, however long the jam lasts."""
        if self._recording is not None:
            return
        if len(bars := self.performance.bars) > 2 * KEPT_BARS:
            self.performance.forget(bars[-KEPT_BARS].start)
        if len(notes := self.performance.keyboard) > 2 * KEPT_NOTES:
            self.performance.forget(notes[-KEPT_NOTES].onset)

    def _recompose(self, *, new_piece: bool = False) -> None:
        """Compose what follows anew, with the current settings, but for what sounds next."""
        if self._listener is not None:
            return
        ready, keep, until = self._improviser.ready, 0, self.performance.end_seconds
        while keep < len(ready) and until < self._player.position + RESPONSE:
            until += float(ready[keep].length) * 60 / ready[keep].bpm
            keep += 1
        last = ready[keep - 1] if keep else self.performance.bars[-1].bar if self.performance.bars else None
        position = last.position if last is not None and not new_piece else None
        settings = self._settings
        self._improviser.compose(lambda: self._tunes.endless(settings, position), keep)

    def _change_temperature(self, change: float) -> None:
        temperature = round(self._settings.temperature + change, 2)
        if 0 < temperature <= MAX_TEMPERATURE:
            self._settings = dataclasses.replace(self._settings, temperature=temperature)
            self._recompose()

    def _change_density(self, direction: int) -> None:
        """Take the next density up or down; from a free one, the next to that of the last bars."""
        if not self._tunes.has_density:
            self._note = f"`{self._tunes.model.representation.name}` has no density"
            return
        current = float(self._settings.density.partition("..")[0] or self._heard_density())
        further = [each for each in DENSITIES if (each - current) * direction > 0]
        if further:
            density = min(further) if direction > 0 else max(further)
            self._settings = dataclasses.replace(self._settings, density=f"{density:g}")
            self._recompose(new_piece=True)

    def _heard_density(self) -> float:
        """Return the onsets per beat of the last bars."""
        bars = [each.bar for each in self.performance.bars[-4:]]
        onsets = sum(len(part.notes) for bar in bars for part in bar.parts)
        return onsets / float(sum(bar.length for bar in bars)) if bars else 1.0

    def _transpose(self, semitones: int) -> None:
        if abs(self._shift + semitones) <= MAX_SHIFT:
            self._shift += semitones

    def _pause(self) -> None:
        (self._player.resume if self._player.is_paused else self._player.pause)()

    def _console_say(self, text: str) -> None:
        """Print a line if there is no piano roll."""
        if not self._console.can_animate:
            self._console.say(text)


@contextmanager
def punctual_threads() -> Iterator[None]:
    """Within the context, let threads run soon after they wake up, so that notes are in time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
