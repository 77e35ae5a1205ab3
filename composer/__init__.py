"""Generate music in the terminal, and train models on your own music."""

__version__ = "0.1.0"
