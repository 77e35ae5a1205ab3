"""Set up a jam: the model, the ports, and the keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from composer.api import UsageError
from composer.checkpoints import load as load_checkpoint
from composer.checkpoints import store
from composer.cli.gen.conditions import parse_conditions
from composer.cli.gen.default_candidates import is_music
from composer.cli.gen.particles import kept_flags
from composer.cli.jam.options import JamOptions
from composer.cli.jam.phrases import listening
from composer.cli.jam.session import Jam, punctual_threads
from composer.cli.jam.tunes import Settings, TuneComposer
from composer.cli.jam.view import JamView
from composer.cli.play.keys import ReadKey, key_reader
from composer.cli.play.session import Quit, play_until_over
from composer.cli.render.text import count_noun
from composer.cli.representation_argument import find_representation
from composer.music.bars import parse_meter
from composer.music.tempo_map import DEFAULT_BPM
from composer.playback.instruments import open_instrument
from composer.playback.port_player import LivePlayer
from composer.system import device as devices

if TYPE_CHECKING:
    from composer.cli.console import Console


def play_live(console: Console, options: JamOptions) -> None:
    """Jam until the user quits. Raises ComposerError."""
    console.quiet = options.quiet
    kind = find_representation(options.representation, "jam")
    if not is_music(kind()):
        raise UsageError(f"`{kind.name}` is not music, so it cannot be played", "use composer jam abc")
    if kept := kept_flags(options.controls):
        raise UsageError(f"{kept[0]} does not work in a jam", f"leave out {kept[0]}")
    with ExitStack() as stack:
        player = LivePlayer(*stack.enter_context(open_instrument(options.soundfont, options.port)))
        tunes, settings = load_tunes(console, options)
        listener = None
        if options.input is not None:
            listener = stack.enter_context(listening(options.input, lambda: player.position))
        read_key = stack.enter_context(key_reader(console))
        stack.enter_context(punctual_threads())
        meter, bpm = parse_meter(getattr(options.controls, "meter", "")), options.tempo or DEFAULT_BPM
        jam = Jam(console, tunes, settings, player, meter, bpm, listener)
        try:
            _play(console, jam, player, read_key, options)
        except Quit:
            pass
        finally:
            player.stop()
            _end(console, jam)


def load_tunes(console: Console, options: JamOptions) -> tuple[TuneComposer, Settings]:
    """Load the model, and return what composes with it, and the first settings. Raises ComposerError."""
    name = options.representation
    path = store.resolve_model(options.checkpoint) if options.checkpoint else store.default(name)
    model = load_checkpoint.load_model(path, name, devices.resolve(options.device))
    if reason := devices.unused_cuda_warning(options.device):
        console.warn(reason)
    sampling = options.sampling.with_default_temperature(model.default_temperature)
    titles: Sequence[str] = ()
    if model.representation.uses_titles:
        from composer.checkpoints.training_melodies import training_titles

        titles = training_titles(model.extra, path.name)
    conditions = parse_conditions(options.conditions, model.spec.conditions)
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4)) >> 1
    bpm = options.tempo or (DEFAULT_BPM if options.input is not None else None)
    tunes = TuneComposer(model, sampling, seed, options.controls, conditions, bpm, titles)
    return tunes, Settings(sampling.highest_temperature, getattr(options.controls, "density", ""))


def _play(console: Console, jam: Jam, player: LivePlayer, read_key: ReadKey | None, options: JamOptions) -> None:
    """Play until the user quits or the time is over. Raises Quit, ComposerError."""
    view = JamView(console)

    def is_over() -> bool:
        jam.advance()
        return options.seconds is not None and player.position >= options.seconds

    def draw() -> None:
        view.draw(jam.performance, jam.coming, jam.beat, *jam.status())

    player.start()
    doing = f"listening to {options.input}, answering" if options.input is not None else "playing"
    play_until_over(console, read_key, f"{doing} with {player.name}; Ctrl-C stops", is_over, draw, jam.press)


def _end(console: Console, jam: Jam) -> None:
    """Stop composing, save what is being recorded, and say what the user should know. Raises ComposerError."""
    try:
        jam.end()
    finally:
        for path in jam.saved:
            console.say(f"wrote {path}")
        if jam.waits:
            console.warn(f"the music waited {count_noun(jam.waits, 'beat')} for the model")
