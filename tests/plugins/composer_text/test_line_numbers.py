"""Line numbers in margins are dropped, and other numbers are not."""

import pytest

from composer.api import Piece
from composer.api.testing import source
from composer_text import Text, TextOptions
from composer_text.line_numbers import without_line_numbers
from composer_text.pieces import NUMBERS


def verses(count, numbers, start=1, margin=20):
    """Lines of which those with the `numbers` have them in the margin."""
    return "\n".join(
        f"Verse {chr(97 + number % 26)} of it" + (" " * margin + str(number) if number in numbers else "")
        for number in range(start, start + count)
    )


def plain(text):
    return "\n".join(line.rstrip(" 0123456789") for line in text.split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        verses(22, {5, 10, 15, 20}),
        verses(22, {5, 10, 15, 20}, margin=3),
        verses(14, {5, 10}),
        verses(40, {104, 108, 112, 120}, start=101),
        "A Song\n\n" + verses(22, {4, 8, 12, 16, 20}).replace("Verse m", "\nVerse m"),
        verses(18, {10, 15}).replace("Verse e of it", "Verse e of it     1793") + "\n" + verses(9, {20, 25}, start=19),
    ],
)
def test_numbers_that_count_lines(text):
    lines = text.split("\n")
    expected = [line if line.endswith("1793") else plain(line) for line in lines]
    count = sum(line != old for line, old in zip(expected, lines, strict=True))
    assert count >= 2
    assert without_line_numbers(text) == ("\n".join(expected), count)


def test_numbers_alone_on_a_line():
    lines = verses(20, ()).split("\n")
    for number in (15, 10, 5):
        lines.insert(number, " " * 30 + str(number))
    assert without_line_numbers("\n".join(lines)) == (verses(20, ()), 3)


@pytest.mark.parametrize(
    "text",
    [
        "Contents\n\nThe Shepherd        3\nThe Lamb          6\nThe Blossom       9\nNight         12",
        "\n".join(f"Apples     {number}" for number in range(1, 30)),
        "\n".join(f"Apples     {number}" for number in range(5, 100, 5)),
        "\n\n".join(f"       {number}\n{verses(number * 3 % 7 + 4, ())}" for number in range(1, 12)),
        "\n\n".join(f"       {number}\n\n{verses(5, ())}" for number in range(5, 40, 5)),
        "\n".join(f"     {year}\n\n     A Song\n     Another\n" for year in range(1780, 1797)),
        verses(9, {5}),
        verses(22, {5, 10, 15, 20}, margin=2),
        verses(10, ()) + "   12\n" + verses(10, ()) + "   9",
        "1793",
        "",
    ],
)
def test_other_numbers_stay(text):
    assert without_line_numbers(text) == (text, 0)


def test_many_numbers_take_linear_time():
    text = "a   1\n" * 200_000
    assert without_line_numbers(text) == (text, 0)


def test_they_are_counted_unless_they_are_kept():
    text = verses(22, {5, 10, 15, 20}) + "\n"
    (piece,) = Text().read(source(text, "poem.txt"))
    assert isinstance(piece, Piece)
    assert piece.content == plain(text.strip())
    assert piece.losses == {NUMBERS: 4}
    (kept,) = Text(TextOptions(line_numbers="keep")).read(source(text, "poem.txt"))
    assert isinstance(kept, Piece)
    assert kept.content == text.strip()
    assert kept.losses == {}
