"""Test the ABC reader and normalizer on real collections, and compare them with abc2midi.

    python tests/bench/readers/abc_corpora.py [FILES OR FOLDERS...] [--melody]

Without paths, it uses three old collections that come with music21. `--melody` compares the reader's melody with that
of abc2midi's MIDI, note for note. Both read the tunes without what abc2midi plays in its own way (grace notes, rolls,
trills, swung hornpipes), and the notes of a chord, which it staggers, count as one onset.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import subprocess
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from composer.api import ReadError, RejectedPiece, Source
from composer.formats.abc.dialect.normalize import NormalizedTune, normalize
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.reader.lexer import TuneText, split_tunes
from composer.formats.abc.reader.score import read_tune

CORPORA = ("ryansMammoth", "oneills1850", "airdsAirs")
CHORD_TICKS = 33
"""abc2midi staggers the notes of a chord by 10 ticks each; a beat has 480."""

FAULT = re.compile(r"^(Error|Warning) in line-char (\d+)-\d+ :(.*)$", re.MULTILINE)
PLAYED_DIFFERENTLY = re.compile(r"\{[^}]*\}|^R:.*\n|!trill!|~", re.MULTILINE)


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("paths", nargs="*", type=Path)
    arguments.add_argument("--melody", action="store_true", help="compare melodies with abc2midi's MIDI")
    given = arguments.parse_args()
    for name, files in corpora(given.paths).items():
        tunes = [tune for file in files for tune in split_tunes(text_of(file))]
        print(f"\n{name}: {len(tunes)} tunes in {len(files)} files")
        normals = normalize_all(tunes)
        if shutil.which("abc2midi"):
            check_with_abc2midi("raw tunes", [tune.text for tune in tunes])
            check_with_abc2midi("normalized", [f"X:1\n{normal.text}" for normal in normals])
            if given.melody:
                compare_melodies(tunes)


def corpora(paths: list[Path]) -> dict[str, list[Path]]:
    """Return the files of each collection."""
    if not paths:
        found = importlib.util.find_spec("music21")
        if found is None or not found.submodule_search_locations:
            raise SystemExit("music21's corpora are not installed: give paths")
        paths = [Path(found.submodule_search_locations[0], "corpus", name) for name in CORPORA]
    return {str(path.name): sorted(path.glob("**/*.abc")) if path.is_dir() else [path] for path in paths}


def text_of(file: Path) -> str:
    """Return the text as `composer` reads it."""
    return Source(file).text()


def normalize_all(tunes: list[TuneText]) -> list[NormalizedTune]:
    """Return the tunes that can be normalized; print counts, rejections and changes."""
    begin = time.perf_counter()
    results = [normalize(tune) for tune in tunes]
    took = (time.perf_counter() - begin) / max(len(tunes), 1)
    normals = [result for result in results if isinstance(result, NormalizedTune)]
    rejections = Counter(result.reason for result in results if isinstance(result, RejectedPiece))
    exact = sum(not normal.changes for normal in normals)
    print(f"  normalized   {len(normals):5} {share(len(normals), len(tunes))}  {1000 * took:.2f} ms per tune")
    print(f"  same melody  {exact:5} {share(exact, len(normals))}")
    print(f"  valid        {sum(not validate(each.text) for each in normals):5}")
    for kind, counts in (
        ("rejected", rejections),
        ("changed", Counter(change for normal in normals for change in normal.changes)),
    ):
        for reason, count in counts.most_common():
            print(f"  {kind}: {reason:52}{count:5}")
    return normals


def check_with_abc2midi(name: str, texts: list[str]) -> None:
    """Print how many tunes abc2midi reads without errors, without warnings of bar lengths, and without either."""
    lines: list[str] = []
    owner: list[int] = []
    for number, text in enumerate(texts):
        tune = [*text.rstrip("\n").split("\n"), ""]
        lines += tune
        owner += [number] * len(tune)
    data = "\n".join(lines).encode()
    output = subprocess.run(["abc2midi", "-", "-c"], input=data, capture_output=True, check=False).stdout
    errors, bars = set(), set()
    for kind, line, message in FAULT.findall(output.decode("latin-1")):
        # the line number may be that of the next line
        number = owner[min(int(line), len(owner)) - 1]
        if kind == "Error":
            errors.add(number)
        elif "time units" in message:
            bars.add(number)
    count = len(texts)
    clean = [share(count - len(bad), count) for bad in (errors, bars, errors | bars)]
    print(f"  abc2midi, {name}: no errors {clean[0]}, no bar warnings {clean[1]}, neither {clean[2]}")


def compare_melodies(tunes: list[TuneText]) -> None:
    """Print how many melodies are the same as in abc2midi's MIDI."""
    import mido

    same, differing = 0, []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "tune.mid")
        for tune in tunes:
            plain = PLAYED_DIFFERENTLY.sub("", tune.text)
            subprocess.run(["abc2midi", "-", "-o", str(target)], input=plain.encode(), capture_output=True, check=False)
            try:
                own = read_tune(TuneText(tuple(plain.rstrip("\n").split("\n")))).parts[0].notes
            except ReadError:
                own = ()
            onsets = sorted({int(note.onset * 480) for note in own})
            theirs = list(sounding(mido.MidiFile(target), onsets)) if target.exists() else []
            target.unlink(missing_ok=True)
            ours = [(int(note.onset * 480), note.pitch, float(note.duration * 480)) for note in own]
            if agree(ours, sorted(theirs)):
                same += 1
            else:
                differing.append(f"line {tune.first}")
    print(f"  same melody as abc2midi: {same} {share(same, len(tunes))}; others: {', '.join(differing[:20])}")


def sounding(midi: object, onsets: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield onset, pitch and duration in ticks of the first channel's notes, onsets snapped to near notated ones."""
    sounding_notes: dict[int, list[int]] = {}
    for track in midi.tracks:  # type: ignore[attr-defined]
        now = 0
        for message in track:
            now += message.time
            if message.type not in ("note_on", "note_off") or message.channel != 0:
                continue
            if message.type == "note_on" and message.velocity:
                sounding_notes.setdefault(message.note, []).append(now)
            elif sounding_notes.get(message.note):
                onset = sounding_notes[message.note].pop(0)
                at = bisect_right(onsets, onset + 2)
                near = onsets[at - 1] if at and onset - onsets[at - 1] <= CHORD_TICKS else onset
                yield near, message.note, now - onset


def agree(ours: list[tuple[int, int, float]], theirs: list[tuple[int, int, int]]) -> bool:
    """Return whether the notes are the same, within the precision of abc2midi's ticks."""
    return len(ours) == len(theirs) and all(
        one[1] == other[1] and abs(one[0] - other[0]) <= 2 and abs(one[2] - other[2]) <= CHORD_TICKS
        for one, other in zip(sorted(ours), theirs, strict=True)
    )


def share(part: int, whole: int) -> str:
    """Return a share in percent."""
    return f"{100 * part / whole:5.1f} %" if whole else "    -  "


if __name__ == "__main__":
    main()
