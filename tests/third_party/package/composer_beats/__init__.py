"""A stranger's package: a representation of drum patterns, and a Markov chain."""
