"""Choose a piece phrase by phrase in the terminal: show continuations, follow keys, and write what was chosen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from composer import formats
from composer.api import ComposerError, Score, Source, Step, Unsatisfiable, UsageError
from composer.cli.choose.continuations import Continuations, Draft
from composer.cli.choose.editing import edit, invalid_edit, unusable_edit
from composer.cli.choose.view import TEXTS, DraftView
from composer.cli.choose.writing import write_draft
from composer.cli.gen import primer
from composer.cli.gen.default_candidates import is_music, score_of
from composer.cli.gen.particles import kept_flags
from composer.cli.gen.plan import Plan
from composer.cli.play.keys import key_reader, split_keys
from composer.cli.play.roll_view import terminal_size
from composer.music.tempo_map import DEFAULT_BPM, at_tempo

if TYPE_CHECKING:
    from composer.cli.console import Console
    from composer.playback.choose import Sound

QUIT = ("q", "\x04")
"""Keys that finish the piece; Ctrl-D is the second."""
MAX_TRIES = 10
"""How often a continuation is generated until it is another one."""
MIN_NOTES = 4
"""Phrases with fewer notes are not offered if there are others."""

STATUS_ROWS = 2
"""Rows of a screen for what was done and for the prompt."""
WAIT = 3600.0
"""Seconds until a prompt looks again whether a key was pressed."""


def check_terminal(console: Console) -> None:
    """Raise UsageError if nobody can press keys."""
    with key_reader(console) as read_key:
        if read_key is None:
            raise UsageError("--choose needs a terminal", "leave out --choose, or use --candidates 4 to keep the best")


def choose(console: Console, plan: Plan, sound: Sound | None) -> None:
    """Let the user choose a piece, and write it, also after an interruption. Raises ComposerError."""
    if kept := kept_flags(plan.options.controls):
        raise UsageError(
            f"--choose and {kept[0]} cannot be used together", "leave out one of them", flags=("--choose", kept[0])
        )
    if plan.output.as_piano_roll:
        name, suffix = plan.output.format.name.upper(), plan.output.format.suffixes[0]
        raise UsageError(f"{name} is binary, so the chosen piece cannot be shown", f"add --output tune{suffix}")
    console.begin()
    with ExitStack() as stack:
        session = _Session(console, plan, sound, stack)
        try:
            session.run()
        finally:
            console.show_status("")
            for note in write_draft(plan, session.continuations, session.draft) if session.draft.choices else ():
                console.say(note)
    if not session.draft.choices:
        raise ComposerError("nothing was chosen, so nothing was written", "press the number of a continuation first")


@dataclass(slots=True)
class _Stage:
    """A draft and its continuations that are shown, by their keys; `seen` are those that were shown at any time."""

    draft: Draft
    options: dict[str, Draft] = field(default_factory=dict)
    seen: set[tuple[Step, ...]] = field(default_factory=set)
    tried: int = 0
    """The number of the last continuation."""


@dataclass
class _Session:
    """The stages so far, of which the last is continued; `sound` is opened when it is needed, on the `stack`."""

    console: Console
    plan: Plan
    sound: Sound | None
    stack: ExitStack
    rejected_edit: str = ""
    """An edit that could not be used, which the editor shows again."""
    typed: list[str] = field(default_factory=list)
    """Keys that were pressed before they were asked for."""

    def __post_init__(self) -> None:
        self.continuations = Continuations(self.plan)
        self.stages = [_Stage(self.continuations.start())]
        self.view = DraftView(self.console, self.plan.model.representation)

    @property
    def draft(self) -> Draft:
        return self.stages[-1].draft

    @property
    def options(self) -> dict[str, Draft]:
        return self.stages[-1].options

    def run(self) -> None:
        """Follow the keys until the piece is finished."""
        follow: Callable[[], None] = self._show_options
        while True:
            try:
                follow()
            except ComposerError as error:
                self.console.fail(error.message, error.hint)
            if (key := self._read_key(self._help())) in QUIT:
                return
            follow = self._action(key)

    def _action(self, key: str) -> Callable[[], None]:
        """Return what a key does."""
        if key in self.options:
            return lambda: self._take(key)
        known = {"m": self._show_more, "u": self._undo, "e": self._edit, "p": self._play}
        return known.get(key, lambda: None)

    def _help(self) -> str:
        numbers = f"1-{len(self.options)}: take  m: more  " if self.options else ""
        numbers = "the piece is complete  " if self.draft.ended else numbers
        return f"{numbers}p: play  u: undo  e: edit  q: finish "

    def _read_key(self, prompt: str) -> str:
        """Show a prompt, wait for a key, and return it; that to quit if the terminal is gone."""
        self.console.show_status(prompt)
        while not self.typed:
            with key_reader(self.console) as read_key:
                self.typed = split_keys(read_key(WAIT)) if read_key is not None else [QUIT[0]]
        key = self.typed.pop(0).lower()
        self.console.show_status("")
        return key

    def _take(self, key: str) -> None:
        """Take a continuation that is shown."""
        self.console.print_prose(f"took {key}")
        self._go_on(self.options[key])

    def _go_on(self, draft: Draft) -> None:
        """Take a draft as the piece so far, and show how it may go on."""
        self.stages.append(_Stage(draft))
        self._show_options()

    def _show_more(self) -> None:
        self.options.clear()
        self._show_options()

    def _undo(self) -> None:
        if len(self.stages) == 1:
            raise ComposerError("there is nothing to undo", "press the number of a continuation to take it")
        self.stages.pop()
        self._show_options()

    def _show_options(self) -> None:
        """Show the continuations of the last draft, each as soon as it is generated."""
        count, options = self.plan.options.choose or 1, self.options
        rows = max((terminal_size(self.console)[1] - STATUS_ROWS) // count, 1)
        for key in map(str, range(1, count + 1 if not self.draft.ended else 1)):
            if key not in options:
                self.console.show_status(f"generating continuation {key} of {count} ")
                found = self._new_option()
                self.console.show_status("")
                if found is None:
                    self.console.print_prose("found no other continuations at this temperature")
                    break
                options[key] = found
            self.view.show(options[key], self.continuations.labels(options[key]), key, rows)

    def _new_option(self) -> Draft | None:
        """Return a continuation that was not shown before; None if many tries give none.

        One with few notes, such as an early end, is returned only if there is no other.
        """
        stage, sparse = self.stages[-1], None
        for _ in range(MAX_TRIES):
            stage.tried += 1
            option = self.continuations.option(stage.draft, stage.tried)
            if option.steps not in stage.seen:
                stage.seen.add(option.steps)
                if not self._is_sparse(option):
                    return option
                sparse = sparse or option
        return sparse

    def _is_sparse(self, option: Draft) -> bool:
        """Return whether the last phrase of a piece of music has few notes."""
        representation = self.plan.model.representation
        if not is_music(representation):
            return False
        phrase = self.view.phrase(option, self.continuations.labels(option))
        return phrase is None or sum(len(part.notes) for part in phrase.parts) < MIN_NOTES

    def _edit(self) -> None:
        """Let the user edit the piece so far, and go on from there. Raises ComposerError."""
        representation, draft = self.plan.model.representation, self.draft
        if not draft.steps:
            raise ComposerError("there is nothing to edit yet", "press the number of a continuation to take it")
        is_text = representation.native in TEXTS
        text = self.view.text(draft.steps) if is_text else formats.write("abc", self._score(draft)).decode()
        suffix = ".txt" if representation.native == "text" else ".abc"
        edited = edit(self.console, self.rejected_edit or text, suffix)
        if edited == text:
            self.console.print_prose("nothing was changed")
            return
        self.rejected_edit = edited
        source = Source(Path(f"edit{suffix}"), name="the edited piece", data=edited.encode(), fragment=True)
        found = primer.primer_of(representation, source, invalid_edit)
        try:
            draft = self.continuations.edited(draft, found.steps, found.labels)
        except Unsatisfiable as error:
            raise unusable_edit(error) from error
        self.rejected_edit = ""
        for note in found.notes:
            self.console.print_prose(note)
        self._go_on(draft)

    def _play(self) -> None:
        """Ask what to play, and play it. Raises ComposerError."""
        key = self._read_key(f"play which?   {'1-' + str(len(self.options)) if self.options else ''}   0: all so far ")
        option = self.options.get(key)
        if option is None and key != "0":
            return
        name = "the piece so far" if option is None else f"continuation {key}"
        phrase = self.view.phrase(option, self.continuations.labels(option)) if option is not None else None
        score = self._score(self.draft) if option is None else phrase
        if score is None:
            raise ComposerError(f"{name} has no notes to play", "play another one")
        from composer.cli.play.pieces import Tune
        from composer.cli.play.session import play_tunes
        from composer.playback.choose import Playable, open_sound

        if self.sound is None:
            self.sound = self.stack.enter_context(open_sound(self.plan.options.writing.soundfont))
        if self.plan.model.representation.absolute_time:
            score = at_tempo(score, self.plan.output.settings.tempo or DEFAULT_BPM)
        midi = formats.write("midi", score, self.plan.output.settings)
        play_tunes(self.console, [Tune(Playable.of_midi(midi, name), replace(score, title=name))], self.sound)

    def _score(self, draft: Draft) -> Score:
        """Return a draft as music. Raises ComposerError if there is none."""
        labels = self.continuations.labels(draft)
        score = score_of(self.plan.model.representation, draft.steps, labels)
        if score is None or not score.is_audible:
            raise ComposerError("the piece has no notes yet", "press the number of a continuation to take it")
        return score
