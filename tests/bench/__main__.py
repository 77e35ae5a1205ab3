"""`make bench`: print all tables, which takes minutes; the scripts explain them."""

import corpora
import cuda
import midi
import rnnrbm
import speed
import training

if __name__ == "__main__":
    speed.main()
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
