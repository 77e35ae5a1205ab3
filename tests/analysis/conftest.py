"""The small plugins, and a folder of words for them."""

from small_plugins import letters, tiny, tunes

__all__ = ["letters", "tiny", "tunes"]
