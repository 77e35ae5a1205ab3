"""Run abc2midi on many tunes at once, as strictly by the book as its options allow."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mido
from agreement.playing import Playing, of_midi

OPTIONS = ("-NGRA", "-NGUI", "-quiet", "-silent")
"""No grace notes, and no accompaniment of its own making from the chord symbols."""
TOGETHER = "%%MIDI chordattack 0"
"""Without this, the notes of a chord begin one after another."""


def play(texts: Sequence[str]) -> list[Playing | None]:
    """Return what abc2midi plays of each tune; None if it plays nothing or crashes, also with this tune alone.

    It reads many tunes at once, since starting it takes longer than reading a tune.
    """
    found: list[Playing | None] = []
    while len(found) < len(texts):
        batch = texts[len(found) : len(found) + BATCH]
        read = _run(batch)
        while read and read[-1] is None:  # all after a crash
            read.pop()
        found += [each or _run([text])[0] for each, text in zip(read, batch, strict=False)]
        if len(read) < len(batch):
            found += _run([batch[len(read)]])
    return found


BATCH = 200


def _run(texts: Sequence[str]) -> list[Playing | None]:
    """Return what abc2midi plays of each tune; None for all after a crash."""
    with tempfile.TemporaryDirectory() as folder:
        tunes = [re.sub(r"\A(?:X:.*\n)?", f"X:{number}\n{TOGETHER}\n", text) for number, text in enumerate(texts, 1)]
        Path(folder, "t.abc").write_text("\n".join(tunes), "utf-8")
        command = ["abc2midi", "t.abc", *OPTIONS]
        subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=600)
        return [_read(Path(folder, f"t{number}.mid")) for number in range(1, len(texts) + 1)]


def _read(path: Path) -> Playing | None:
    try:
        found = of_midi(mido.MidiFile(path))
    except (FileNotFoundError, EOFError):
        return None
    return found if found.notes else None  # a crash leaves an incomplete file
