"""The melodies of pieces, as a checkpoint holds those of its training data."""

from composer.music.contour import MelodyCollector


def melodies_of(pieces, representation):
    """Return the melodies of `pieces`; pieces without music have none."""
    collector = MelodyCollector()
    for piece in pieces:
        collector.add(piece, representation)
    return collector.melodies()
