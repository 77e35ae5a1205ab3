"""What each step of a text is: in a header, a bar line, a capital letter and so on, as numbers to correlate with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""One number per step, NaN if the feature does not apply to it."""

_HEADER = re.compile(r"^[A-Za-z]:.*\n?", re.MULTILINE)
_SYMBOL = re.compile(r'"[^"\n]*"?')
_NOTE = re.compile(r"[\^_=]*([A-Ga-g])([,']*)")
_BAR_LINE = re.compile(r"[|:\[\]]*\|[|:\]]*")
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")

_DIATONIC = "CDEFGABcdefgab"


def text_features(texts: Sequence[str], notation: str | None) -> Mapping[str, Values]:
    """Return the features of steps with these `texts` by name; `notation` is `abc` for tunes, else it is plain text.

    A step with several characters has the mean of theirs, one without any has none.
    """
    text = "".join(texts)
    found = _abc(text) if notation == "abc" else _plain(text)
    ends = np.cumsum([len(each) for each in texts])
    return {name: _per_step(values, ends) for name, values in found.items()}


def _per_step(values: Values, ends: NDArray[np.int64]) -> Values:
    """Return the mean of `values` of characters for each step, which ends before character `ends[step]`."""
    starts = np.concatenate([[0], ends[:-1]]).astype(int)
    if np.array_equal(ends - starts, np.ones(len(ends))):
        return values
    pairs = zip(starts, ends, strict=True)
    return np.array([values[start:end].mean() if end > start else np.nan for start, end in pairs])


def _abc(text: str) -> dict[str, Values]:
    """Return the features of a tune in ABC."""
    header, bar_lines = _spans(text, _HEADER), _spans(text, _BAR_LINE)
    body = header == 0
    symbols = _spans(text, _SYMBOL) * body
    music = body & (symbols == 0)
    found = {
        "header": header,
        "chord symbol": np.where(body, symbols, np.nan),
        "bar line": np.where(music, bar_lines, np.nan),
        "place in the bar": np.where(music, _progress(text, "|\n", music), np.nan),
        "place in the line": np.where(body, _progress(text, "\n", body), np.nan),
        "pitch": np.where(music, _pitches(text, music), np.nan),
        "note length": np.where(music, _matching(text, lambda letter: letter.isdigit() or letter == "/"), np.nan),
        "rest": np.where(music, _matching(text, lambda letter: letter in "zZx"), np.nan),
        "place in the tune": np.where(body, _rank(body), np.nan),
    }
    return {name: values.astype(float) for name, values in found.items()}


def _plain(text: str) -> dict[str, Values]:
    """Return the features of a text that is no music."""
    found = {
        "end of the line": _matching(text, lambda letter: letter == "\n"),
        "place in the line": _progress(text, "\n", np.ones(len(text), bool)),
        "blank": _matching(text, lambda letter: letter == " "),
        "place in the word": _progress(text, " \n", np.ones(len(text), bool)),
        "capital letter": _matching(text, str.isupper),
        "vowel": _matching(text, lambda letter: letter in "aeiouyAEIOUY"),
        "punctuation": _matching(text, lambda letter: not (letter.isalnum() or letter.isspace())),
        "digit": _matching(text, str.isdigit),
        "quotation": _spans(text, _QUOTED),
        "brackets": _spans(text, _BRACKETS),
        "place in the text": _rank(np.ones(len(text), bool)),
    }
    return {name: values.astype(float) for name, values in found.items()}


def _matching(text: str, is_one: Callable[[str], bool]) -> Values:
    return np.array([is_one(letter) for letter in text], float)


def _spans(text: str, pattern: re.Pattern[str]) -> Values:
    """Return 1 for the characters within a match of `pattern`."""
    found = np.zeros(len(text))
    for match in pattern.finditer(text):
        found[match.start() : match.end()] = 1
    return found


def _progress(text: str, ends: str, counted: NDArray[np.bool_]) -> Values:
    """Return the place of each character between two of the characters `ends`, from 0 to 1; NaN if not `counted`."""
    found, start = np.full(len(text), np.nan), 0
    for at in range(len(text) + 1):
        if at == len(text) or text[at] in ends or not counted[at]:
            if at - start > 1:
                found[start:at] = np.linspace(0, 1, at - start)
            start = at + 1
    return found


def _pitches(text: str, counted: NDArray[np.bool_]) -> Values:
    """Return the height of the latest note in steps of the scale; NaN before the first."""
    found, at = np.full(len(text), np.nan), 0
    for match in _NOTE.finditer(text):
        if not counted[match.start()]:
            continue
        found[at : match.start()] = found[at - 1] if at else np.nan
        octaves = match[2].count("'") - match[2].count(",")
        found[match.start() : match.end()] = _DIATONIC.index(match[1]) + 7 * octaves
        at = match.end()
    found[at:] = found[at - 1] if at else np.nan
    return found


def _rank(counted: NDArray[np.bool_]) -> Values:
    """Return the place of each `counted` character among them, from 0 to 1."""
    return (np.cumsum(counted) - 1) / max(int(counted.sum()) - 1, 1)
