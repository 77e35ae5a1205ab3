"""The small, regular dialect of ABC that the abc representation is trained on and writes, as tables.

A tune is a header, one field per line, always in this order; `T` and `R` may be missing:

    T:The Humours of Nowhere
    R:jig
    M:6/8
    L:1/8
    K:Gmix

and a body of parts. A part is `|:` bars `:|`, or `|:` bars `|[1` bars `:|` `[2` bars `||`, or bars `||`; the last bar
line of a tune is `:|` or `|]`. A line ends after `:|`, `||` and `|]` and after every fourth bar. A blank precedes each
element that starts on a beat group inside a bar, and nothing else.

Every bar fills its meter. If the first bar is a pickup of `p` ticks, every part ends `p` ticks before its bar would be
full, and the next part starts with its own pickup; only the last bar of a tune may be full as well.

An element is a note, a rest, a chord `[CEG]2`, or a triplet `(3ABc` of single notes of one length, each after an
optional chord symbol. Two single notes without a length may be joined by `>` or `<` if the first starts on a whole unit
and, in a hornpipe, on an even one, since hornpipes swing the others anyway. A `-` ties a note or chord to the same one
after it, across bar lines but not across parts or endings.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from composer.music.keys import WHOLE, Time, parse_meter

__all__ = ["METERS", "RHYTHMS", "rhythm_of"]

ACCIDENTALS = {"^": 1, "_": -1, "=": 0}

LOWEST, HIGHEST = 22, 62
"""The range of steps (see `music.keys`): `B,,` to `b''`."""

LENGTHS = ("/4", "/2", "3/4", "", "5/4", "3/2", "7/4", "2", "5/2", "3", "7/2", "4", "5", "6", "7", "8", "9", "10", "12",
           "16")  # fmt: skip
"""The strings that may follow a note or rest, as multiples of the unit length."""

METERS = ("2/4", "3/4", "4/4", "2/2", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4", "5/8", "7/8", "4/8")

MODES = ("", "m", "dor", "mix", "phr", "lyd", "loc")

KEYS = tuple(f"{letter}{sign}{mode}" for letter in "CDEFGAB" for sign in ("", "#", "b") for mode in MODES)
"""Names of keys; `parse_key` returns None for those with more than seven sharps or flats."""

MAX_TONES = 4
"""Notes in a chord."""

BARS_PER_LINE = 4

RHYTHMS = {
    "slip jig": r"slip ?jig|hop ?jig", "jig": r"jig", "reel": r"reel", "hornpipe": r"horn-?pipe",
    "strathspey": r"strathspey", "highland fling": r"fling|highland schottische",
    "clog": r"clog", "waltz": r"waltz|valse", "polka": r"polka",
    "mazurka": r"mazurka", "schottische": r"schottis", "slide": r"slide", "march": r"march|quick ?step|retreat",
    "minuet": r"minuet|menuet", "gavotte": r"gavott", "cotillion": r"cotill", "quadrille": r"quadrille",
    "air": r"\bair\b", "lament": r"lament",
    "walkaround": r"walk ?around", "barndance": r"barn ?dance", "planxty": r"planxty",
}  # fmt: skip
"""Rhythms of `R:`, with patterns to find them in a source's `R:` or title; the first match counts."""

TITLE = re.compile(r"[A-Za-z0-9 '.,!?&()\-]{1,60}")

CHORD_KINDS = {
    "major": "", "minor": "m", "dominant": "7", "minor-seventh": "m7", "major-seventh": "maj7", "diminished": "dim",
    "diminished-seventh": "dim7", "half-diminished": "m7b5", "augmented": "aug", "suspended-fourth": "sus4",
    "major-sixth": "6", "minor-sixth": "m6", "dominant-ninth": "9",
}  # fmt: skip
"""Kinds of chords, with the suffix to the root."""


def unit_of(time: Time) -> str:
    """Return the unit length `L:` for a meter."""
    return "1/16" if time.bar <= WHOLE // 2 and time.denominator < 8 else "1/8"


def pair_step(rhythm: str) -> int:
    """Return the units on whose multiples in the bar a pair joined by `>` or `<` may start.

    abc2midi swings the first and second, third and fourth units of a hornpipe's bar itself.
    """
    return 2 if rhythm == "hornpipe" else 1


@cache
def beat_group(time: Time) -> int:
    """Return the ticks from one blank to the next: a dotted beat, half a bar of four, else a beat."""
    if time.denominator == 8 and time.numerator % 3 == 0:
        return WHOLE * 3 // 8
    if (time.numerator, time.denominator) in ((4, 4), (2, 2)):
        return WHOLE // 2
    if (time.numerator, time.denominator) == (6, 4):
        return WHOLE * 3 // 4
    return WHOLE // time.denominator


@cache
def lengths(unit: str) -> dict[str, int]:
    """Return the ticks of each length string for the unit length `unit`."""
    ticks = WHOLE // int(unit.partition("/")[2])
    found: dict[str, int] = {}
    for text in LENGTHS:
        numerator, _, denominator = text.partition("/")
        found[text] = ticks * int(numerator or 1) // int(denominator or 1)
    return found


@cache
def chord_symbol(text: str) -> str:
    """Return a chord symbol in the dialect (`D/F#` for `D/f+`); empty for a remark or an unsupported kind."""
    from composer.music import chords

    chord = chords.parse(text)
    if chord is None or chord.degrees or chord.kind not in CHORD_KINDS:
        return ""
    return chord.root + CHORD_KINDS[chord.kind] + (f"/{chord.bass}" if chord.bass != chord.root else "")


def title_of(text: str) -> str:
    """Return a title in the dialect's characters: accents dropped, all capitals turned into title case."""
    folded = unicodedata.normalize("NFKD", re.sub(r"\\[`'^~\"ucv,](.)", r"\1", text)).encode("ascii", "ignore").decode()
    title = " ".join("".join(TITLE.findall(folded.replace("`", "'").replace('"', " ").replace("/", "-"))).split())
    title = re.sub(r"[A-Za-z][A-Za-z']*", lambda word: word[0].capitalize(), title) if title.isupper() else title
    return title[:60].strip()


def rhythm_of(field: str, title: str) -> str:
    """Return the rhythm that an `R:` field or else a title names; empty if there is none."""
    for text in (field.lower(), title.lower()):
        for name, words in RHYTHMS.items():
            if re.search(words, text):
                return name
    return ""


def meter_of(text: str) -> Time | None:
    """Return the meter of an `M:` field; None if the dialect lacks it."""
    return parse_meter(text) if text in METERS else None
