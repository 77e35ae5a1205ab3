"""Words that change the order of playing."""

import pytest

from composer.music.direction_words import NAME, Direction, read_direction
from composer.music.playback_order import Jump


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("D.C.", "D. C.", "DC", "da capo", "dacapo", "Da Capo"), Direction("jump", Jump())),
        (("D.C. al Fine", "D.C.alfine", "Da capo al fine.", "DC to Fine"), Direction("jump", Jump("", "fine"))),
        (("D.S.", "dal segno", "D. S."), Direction("jump", Jump(NAME))),
        (("D.S. al Coda", "D.S.alcoda"), Direction("jump", Jump(NAME, "coda"))),
        (("Fine", "FINE", "fine."), Direction("fine")),
        (("To Coda", "dacoda", "to coda"), Direction("to coda")),
        (("Segno", "segno"), Direction("segno")),
        (("Coda", "CODA"), Direction("coda")),
        (("D", "Dm", "Finely", "al", "decrescendo", "DCC", "discord", "D/c", "D7/c", "D/C"), None),
    ],
)
def test_words(texts, expected):
    assert [read_direction(text) for text in texts] == [expected] * len(texts)
