"""General MIDI instruments by name."""

import pytest

from composer.api import OptionError
from composer.music.instruments import INSTRUMENTS, parse_instrument


def test_names():
    assert len(set(INSTRUMENTS)) == 128
    for program, name in (
        (0, "acoustic grand piano"),
        (40, "violin"),
        (73, "flute"),
        (110, "fiddle"),
        (127, "gunshot"),
    ):
        assert INSTRUMENTS[program] == name
    assert [parse_instrument(name) for name in INSTRUMENTS] == list(range(128))


@pytest.mark.parametrize(
    ("text", "program"),
    [("40", 40), ("Violin", 40), ("church", 19), ("honky tonk", 3), ("harps", 6), ("nylon", 24), ("Lead 1 square", 80)],
)
def test_numbers_and_unique_parts(text, program):
    assert parse_instrument(text) == program


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("piano", "ambiguous instrument 'piano'", "`acoustic grand piano` or `bright acoustic piano`"),
        ("violn", "unknown instrument 'violn'", "did you mean `violin`"),
        ("zzz", "unknown instrument 'zzz'", "0 to 127"),
        ("", "unknown instrument ''", "0 to 127"),
    ],
)
def test_unknown_names(text, message, hint):
    with pytest.raises(OptionError) as caught:
        parse_instrument(text)
    assert caught.value.message == message
    assert hint in caught.value.hint
