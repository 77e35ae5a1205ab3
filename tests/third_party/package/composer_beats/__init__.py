"""A third-party package with a representation of drum patterns and a Markov chain."""
