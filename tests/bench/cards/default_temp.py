"""Set the default temperature of a trained model.

    python tests/bench/cards/default_temp.py MODEL.safetensors TEMP

Then write its card again with `python tests/bench/cards`, which measures it at that temperature. A model in training
gets its default temperature from `composer train --default-temp`, also together with `--resume`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from composer.checkpoints.default_temperature import set_default_temperature


def main() -> None:
    """Change the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("temp", type=float, metavar="TEMP")
    options = parser.parse_args()
    set_default_temperature(options.model, options.temp)


if __name__ == "__main__":
    main()
