"""`composer jam`: play live with a model."""

from typing import TYPE_CHECKING

from composer.cli.control_flags import ControlCommand
from composer.cli.jam.options import JamOptions

if TYPE_CHECKING:
    from composer.cli.console import Console


def jam(console: "Console", options: JamOptions) -> None:
    """Play live with a trained model.

    Music is composed a few bars ahead, without end: when a piece ends, the next one follows. With --in, the model
    listens to a keyboard instead, and answers each phrase after a rest of one bar, in the same key and range. The
    answer ends when you play on. --tempo sets the beat, and --meter the length of a bar.

    It is played through the MIDI port that --port names, else with FluidSynth and a SoundFont, else with the built-in
    synthesizer and the audio player of the system, else through the only MIDI port. --in needs a MIDI port too.

    Keys: up and down change the temperature, left and right the note density (grid and pianoroll), + and - the key by
    semitones; r records to jam-1.mid, jam-2.mid and so on, and saves when pressed again; space pauses, and q quits.
    """
    from composer.system.threads import default_to_one_thread

    default_to_one_thread()
    from composer.cli.jam.run import play_live

    play_live(console, options)


def make_command(summary: str) -> ControlCommand:
    """Return the command for the parser."""
    return ControlCommand("jam", jam, JamOptions, summary)
