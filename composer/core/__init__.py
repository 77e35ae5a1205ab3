"""The engine: corpora, training, generation, checkpoints. It knows no terminal."""
