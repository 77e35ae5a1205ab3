"""General MIDI instruments and percussion: their names, and program numbers from names."""

from __future__ import annotations

import re
from difflib import get_close_matches

from composer.api import OptionError

__all__ = ["INSTRUMENTS", "PERCUSSION", "parse_instrument"]

INSTRUMENTS = (
    "acoustic grand piano", "bright acoustic piano", "electric grand piano", "honky-tonk piano",
    "electric piano 1", "electric piano 2", "harpsichord", "clavinet",
    "celesta", "glockenspiel", "music box", "vibraphone", "marimba", "xylophone", "tubular bells", "dulcimer",
    "drawbar organ", "percussive organ", "rock organ", "church organ",
    "reed organ", "accordion", "harmonica", "tango accordion",
    "acoustic guitar (nylon)", "acoustic guitar (steel)", "electric guitar (jazz)", "electric guitar (clean)",
    "electric guitar (muted)", "overdriven guitar", "distortion guitar", "guitar harmonics",
    "acoustic bass", "electric bass (finger)", "electric bass (pick)", "fretless bass",
    "slap bass 1", "slap bass 2", "synth bass 1", "synth bass 2",
    "violin", "viola", "cello", "contrabass", "tremolo strings", "pizzicato strings", "orchestral harp", "timpani",
    "string ensemble 1", "string ensemble 2", "synth strings 1", "synth strings 2",
    "choir aahs", "voice oohs", "synth choir", "orchestra hit",
    "trumpet", "trombone", "tuba", "muted trumpet", "french horn", "brass section", "synth brass 1", "synth brass 2",
    "soprano sax", "alto sax", "tenor sax", "baritone sax", "oboe", "english horn", "bassoon", "clarinet",
    "piccolo", "flute", "recorder", "pan flute", "blown bottle", "shakuhachi", "whistle", "ocarina",
    "lead 1 (square)", "lead 2 (sawtooth)", "lead 3 (calliope)", "lead 4 (chiff)",
    "lead 5 (charang)", "lead 6 (voice)", "lead 7 (fifths)", "lead 8 (bass and lead)",
    "pad 1 (new age)", "pad 2 (warm)", "pad 3 (polysynth)", "pad 4 (choir)",
    "pad 5 (bowed)", "pad 6 (metallic)", "pad 7 (halo)", "pad 8 (sweep)",
    "fx 1 (rain)", "fx 2 (soundtrack)", "fx 3 (crystal)", "fx 4 (atmosphere)",
    "fx 5 (brightness)", "fx 6 (goblins)", "fx 7 (echoes)", "fx 8 (sci-fi)",
    "sitar", "banjo", "shamisen", "koto", "kalimba", "bagpipe", "fiddle", "shanai",
    "tinkle bell", "agogo", "steel drums", "woodblock", "taiko drum", "melodic tom", "synth drum", "reverse cymbal",
    "guitar fret noise", "breath noise", "seashore", "bird tweet",
    "telephone ring", "helicopter", "applause", "gunshot",
)  # fmt: skip
"""The names of programs 0 to 127, as General MIDI has them."""

PERCUSSION = dict(enumerate((
    "acoustic bass drum", "bass drum 1", "side stick", "acoustic snare", "hand clap", "electric snare",
    "low floor tom", "closed hi-hat", "high floor tom", "pedal hi-hat", "low tom", "open hi-hat",
    "low-mid tom", "hi-mid tom", "crash cymbal 1", "high tom", "ride cymbal 1", "chinese cymbal", "ride bell",
    "tambourine", "splash cymbal", "cowbell", "crash cymbal 2", "vibraslap", "ride cymbal 2",
    "hi bongo", "low bongo", "mute hi conga", "open hi conga", "low conga", "high timbale", "low timbale",
    "high agogo", "low agogo", "cabasa", "maracas", "short whistle", "long whistle", "short guiro", "long guiro",
    "claves", "hi wood block", "low wood block", "mute cuica", "open cuica", "mute triangle", "open triangle",
), 35))  # fmt: skip
"""The names of the percussion sounds by MIDI number, 35 to 81, as General MIDI has them."""

MAX_NAMED = 8


def parse_instrument(text: str) -> int:
    """Return a program from 0 to 127 for its number, its name, or a part of the name that no other has.

    A name that begins with the text counts before one that only contains it. Raises OptionError.
    """
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    wanted, names = _simple(text), {_simple(name): number for number, name in enumerate(INSTRUMENTS)}
    if wanted in names:
        return names[wanted]
    starting = [name for name in names if name.startswith(wanted)]
    alike = starting or [name for name in names if wanted in name]
    if wanted and len(alike) == 1:
        return names[alike[0]]
    if not wanted or not alike:
        alike = get_close_matches(wanted, names, 3)
    near = [f"`{INSTRUMENTS[names[name]]}`" for name in alike[:MAX_NAMED]]
    hint = f"did you mean {' or '.join(near)}?" if near else "use a General MIDI name, such as violin, or 0 to 127"
    kind = "ambiguous" if len(alike) > 1 and wanted in alike[0] else "unknown"
    raise OptionError(f"{kind} instrument '{text}'", hint)


def _simple(name: str) -> str:
    """Return a name in lower case without punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", name.lower()))
