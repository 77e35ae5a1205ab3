"""Write the 2012 split of the Nottingham tunes as a list for `composer train --split`.

    python tests/bench/quality/nottingham.py DATA > nottingham.txt
    composer train abc DATA/cleaned -O text=raw --split nottingham.txt

DATA contains `train.txt`, `valid.txt` and `test.txt`, where `jigs22.mid` is tune 22 of `jigs.abc`.
"""

import re
import sys
from pathlib import Path


def lines(data: Path) -> list[str]:
    """Return the list, a line for each tune."""
    found = []
    for part in ("train", "valid", "test"):
        for name in (data / f"{part}.txt").read_text().split():
            match = re.fullmatch(r"(.+?)(\d+)\.mid", name)
            if match is None:
                raise SystemExit(f"{part}.txt: `{name}` is not the name of a tune")
            found.append(f"{part} {match[1]}.abc: tune {match[2]}")
    return found


if __name__ == "__main__":
    print("\n".join(lines(Path(sys.argv[1]))))
