"""`make bench`: print all tables of speed, which takes minutes; the scripts in `speed` explain them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "speed"))

import corpora
import cuda
import generation
import midi
import rnnrbm
import training

if __name__ == "__main__":
    generation.main()
    print()
    rnnrbm.main()
    print()
    training.main()
    print()
    midi.main([])
    print()
    corpora.main(["--megabytes", "1", "10"])
    print()
    cuda.main([])
