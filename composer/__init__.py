"""A music composer for the terminal: plugins for representations and models, taught on your own music."""

__version__ = "0.1.0"
