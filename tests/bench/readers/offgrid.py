"""How many pieces of each collection fit the default grid, by treatment of notes off the grid, and why others do not.

    python tests/bench/readers/offgrid.py tunes/ midi/ corpus:ryansMammoth corpus:oneills1850 corpus:airdsAirs

Each argument is a collection, named as for `composer train`; it is read once.
"""

import sys
from collections import Counter

from composer.api import ReadError, RejectedPiece, Score
from composer.data.sources import sources
from composer.formats.read import MUSIC_SUFFIXES, read_scores
from composer_grid import Grid, GridOptions

MODES = ("round", "refuse", "drop")


def measure(argument: str) -> str:
    """Return a row of the table, and a row for each reason to reject a piece or change of its notes."""
    grids = {mode: Grid(GridOptions(offgrid=mode)) for mode in MODES}  # type: ignore[arg-type]
    pieces, usable, others = 0, Counter[str](), Counter[str]()
    for source in sources([argument], MUSIC_SUFFIXES):
        try:
            if isinstance(source, ReadError):
                raise source
            for name, score in read_scores(source):
                pieces += 1
                if isinstance(score, Score):
                    usable.update(mode for mode in MODES if _fits(grids[mode], score, name, others))
                else:
                    others[f"pieces not read: {score.reason}"] += 1
        except ReadError:
            others["files not read"] += 1
    share = "".join(f" {usable[mode]:6,} {usable[mode] / max(pieces, 1):6.1%}" for mode in MODES)
    rows = [f"{argument[-28:]:28} {pieces:6,}{share}"]
    return "\n".join([*rows, *(f"    {count:7,} {what}" for what, count in others.most_common())])


def _fits(grid: Grid, score: Score, name: str, others: Counter[str]) -> bool:
    """Return whether a piece fits; count what happens to it with the default treatment."""
    piece = grid._read(score, name, False)
    if grid.options.offgrid == MODES[0]:
        others.update({piece.reason: 1} if isinstance(piece, RejectedPiece) else piece.losses)
    return not isinstance(piece, RejectedPiece)


if __name__ == "__main__":
    print(f"{'collection':28} pieces" + "".join(f" {mode:>13}" for mode in MODES))
    for argument in sys.argv[1:]:
        print(measure(argument), flush=True)
