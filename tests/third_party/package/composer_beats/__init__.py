"""A third-party package: drum patterns, a Markov chain, a file format, a ranking, a preset and a trained model."""
