"""Agreement of composer's readers with other programs, as tables.

    python tests/bench/agreement abc FOLDER... [--limit 2000]       with abc2midi; each folder is a collection
    python tests/bench/agreement midi FOLDER... [--limit 300]       with mido
    python tests/bench/agreement musicxml FOLDER... [--limit 150]  with music21
    python tests/bench/agreement kern FOLDER... [--limit 150]       with music21 and converter21

A folder may be the name of one of music21's corpora, such as `ryansMammoth`. 0 is no limit.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from agreement import abc_tunes, midi, scores

SUFFIXES = {
    "abc": (".abc",),
    "midi": (".mid", ".midi", ".kar", ".smf", ".rmi"),
    "musicxml": (".xml", ".musicxml", ".mxl"),
    "kern": (".krn",),
}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=SUFFIXES)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="compare at most so many of each folder, taken evenly")
    options = parser.parse_args()
    collections = {folder.name: files(folder, SUFFIXES[options.kind]) for folder in options.folders}
    {"abc": abc_tunes.compare, "midi": midi.compare, "musicxml": scores.compare, "kern": scores.compare}[options.kind](
        collections, options.limit
    )


def files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder, or of one of music21's corpora."""
    found = importlib.util.find_spec("music21")
    if not folder.exists() and found is not None and found.submodule_search_locations:
        folder = Path(found.submodule_search_locations[0], "corpus", folder)
    if not folder.is_dir():
        raise SystemExit(f"error: no folder {folder}")
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in suffixes)


if __name__ == "__main__":
    main()
