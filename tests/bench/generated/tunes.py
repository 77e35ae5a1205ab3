"""Check tunes of the bundled abc model: how many abc2midi accepts, and whether batch size changes their bytes.

python tests/bench/generated/tunes.py [--temp 0.8] [--count 100] [--checkpoint FILE]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys

FAULT = re.compile(r"(Error|Warning) in line-char")


def compose(count: int, *flags: str) -> list[str]:
    """Return `count` tunes as the command writes them."""
    command = [sys.executable, "-m", "composer", "gen", "abc", "--count", str(count), "--quiet"]
    command += ["--no-provenance", *flags]  # which tells how many were composed side by side
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return re.findall(r"^X:\d+\n.*?(?=^X:|\Z)", text, re.MULTILINE | re.DOTALL)


def faults(tune: str) -> tuple[int, int]:
    """Return the number of abc2midi's errors and warnings that name a place."""
    done = subprocess.run(["abc2midi", "-", "-c"], input=tune, capture_output=True, text=True, check=False)
    kinds = [match[1] for match in FAULT.finditer(done.stdout)]
    return kinds.count("Error"), kinds.count("Warning")


def without_number(tune: str) -> str:
    """Return the tune without its first line."""
    return tune.split("\n", 1)[1].strip()


def main() -> None:
    """Print both results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--temp", default="0.8")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--checkpoint")
    given = parser.parse_args()
    flags = ["--temp", given.temp, "--seed", "1", *(["--checkpoint", given.checkpoint] if given.checkpoint else [])]
    tunes = compose(given.count, *flags)
    found = [faults(tune) for tune in tunes]
    whole = sum(tune.rstrip().endswith(("|]", ":|")) for tune in tunes)
    print(f"of {len(tunes)} tunes at temperature {given.temp}:")
    print(f"  no abc2midi error   {sum(not errors for errors, _ in found)}")
    print(f"  no warning          {sum(not warnings for _, warnings in found)}")
    print(f"  neither             {sum(not any(both) for both in found)}")
    print(f"  a final bar line    {whole}")
    alone = [without_number(tune) for tune in compose(200, *flags, "--batch-size", "1")]
    for width in ("7", "64"):
        beside = [without_number(tune) for tune in compose(200, *flags, "--batch-size", width)]
        same = sum(one == other for one, other in zip(alone, beside, strict=True))
        print(f"of 200 tunes, {same} are the same bytes at batch sizes 1 and {width}")


if __name__ == "__main__":
    main()
