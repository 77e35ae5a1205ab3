"""The small, regular dialect of ABC that the abc representation learns and writes, as tables.

A tune is a header, one field a line, always in this order, of which `T` and `R` are left out where unknown:

    T:The Humours of Nowhere
    R:jig
    M:6/8
    L:1/8
    K:Gmix

and a body of parts. A part is `|:` bars `:|`, or `|:` bars `|[1` bars `:|` `[2` bars `||`, or bars `||`; the last bar
line of a tune is `:|` or `|]`. A line ends after `:|`, `||` and `|]` and after every fourth bar; a blank stands before
each element that begins on a beat group inside a bar, and nowhere else.

Every bar fills its meter. A tune has one pickup of `p` ticks at most: its first bar then has `p` ticks, and position in
the bar is carried over part marks, so that every part ends `p` ticks before its bar would be full and the next part
begins with its own pickup; only the last bar of a tune may also be full.

An element is a note, a rest, a chord `[CEG]2`, or a triplet `(3ABc` of single notes of one length, each after an
optional chord symbol. Two single notes without a length may be joined by `>` or `<` where the first begins on a whole
unit and, in a hornpipe, on an even one, since the others are paired in its own swing. A `-` ties a note or chord to the
same one after it, over bar lines, never over a part mark or an ending.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from composer.music.keys import WHOLE, Time, parse_meter

__all__ = [
    "ACCIDENTALS",
    "BARS_PER_LINE",
    "CHORD_KINDS",
    "FIELDS",
    "HIGHEST",
    "KEYS",
    "LENGTHS",
    "LOWEST",
    "MAX_TONES",
    "METERS",
    "MODES",
    "RHYTHMS",
    "TITLE",
    "beat_group",
    "chord_symbol",
    "lengths",
    "pair_step",
    "rhythm_of",
    "title_of",
    "unit_of",
]  # fmt: skip

FIELDS = "TRMLK"
"""The header's fields in their order."""

ACCIDENTALS = {"^": 1, "_": -1, "=": 0}

LOWEST, HIGHEST = 22, 62
"""The steps (see `keys`) that can be written: from `B,,` below low C to `b''`."""

LENGTHS = ("/4", "/2", "3/4", "", "5/4", "3/2", "7/4", "2", "5/2", "3", "7/2", "4", "5", "6", "7", "8", "9", "10", "12",
           "16")  # fmt: skip
"""The strings that can follow a note or rest, as multiples of the unit length."""

METERS = ("2/4", "3/4", "4/4", "2/2", "6/8", "9/8", "12/8", "3/8", "3/2", "6/4", "5/4", "5/8", "7/8", "4/8")

MODES = ("", "m", "dor", "mix", "phr", "lyd", "loc")

KEYS = tuple(f"{letter}{sign}{mode}" for letter in "CDEFGAB" for sign in ("", "#", "b") for mode in MODES)
"""Names of keys; those of more than seven sharps or flats are not among the keys that `keys.parse_key` knows."""

MAX_TONES = 4
"""The most notes of a chord."""

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
"""The rhythms that `R:` may name, and the words in a source's `R:` or title that mean them; the first to fit counts."""

TITLE = re.compile(r"[A-Za-z0-9 '.,!?&()\-]{1,60}")

CHORD_KINDS = {
    "major": "", "minor": "m", "dominant": "7", "minor-seventh": "m7", "major-seventh": "maj7", "diminished": "dim",
    "diminished-seventh": "dim7", "half-diminished": "m7b5", "augmented": "aug", "suspended-fourth": "sus4",
    "major-sixth": "6", "minor-sixth": "m6", "dominant-ninth": "9",
}  # fmt: skip
"""The kinds of chords that can be written, and what follows their root."""


def unit_of(time: Time) -> str:
    """The unit length `L:` that belongs to a meter."""
    return "1/16" if time.bar <= WHOLE // 2 and time.denominator < 8 else "1/8"


def pair_step(rhythm: str) -> int:
    """A pair joined by `>` or `<` begins on a multiple of so many units of its bar.

    abc2midi joins the first and second, third and fourth units of a hornpipe's bar by itself.
    """
    return 2 if rhythm == "hornpipe" else 1


@cache
def beat_group(time: Time) -> int:
    """The ticks from one blank to the next: a dotted beat, half a bar of four, else a beat."""
    if time.denominator == 8 and time.numerator % 3 == 0:
        return WHOLE * 3 // 8
    if (time.numerator, time.denominator) in ((4, 4), (2, 2)):
        return WHOLE // 2
    if (time.numerator, time.denominator) == (6, 4):
        return WHOLE * 3 // 4
    return WHOLE // time.denominator


@cache
def lengths(unit: str) -> dict[str, int]:
    """The length strings and the ticks that they mean where the unit length is `unit`."""
    ticks = WHOLE // int(unit.partition("/")[2])
    found: dict[str, int] = {}
    for text in LENGTHS:
        numerator, _, denominator = text.partition("/")
        found[text] = ticks * int(numerator or 1) // int(denominator or 1)
    return found


@cache
def chord_symbol(text: str) -> str:
    """A chord's name as the dialect writes it (`D/f+` is `D/F#`); empty for a remark or a kind that is not written."""
    from composer.music import chords

    chord = chords.parse(text)
    if chord is None or chord.kind not in CHORD_KINDS:
        return ""
    return chord.root + CHORD_KINDS[chord.kind] + (f"/{chord.bass}" if chord.bass != chord.root else "")


def title_of(text: str) -> str:
    """A title in the dialect's few characters: accents dropped, capitals throughout made titles."""
    folded = unicodedata.normalize("NFKD", re.sub(r"\\[`'^~\"ucv,](.)", r"\1", text)).encode("ascii", "ignore").decode()
    kept = " ".join("".join(TITLE.findall(folded.replace("`", "'").replace('"', " ").replace("/", "-"))).split())
    kept = re.sub(r"[A-Za-z][A-Za-z']*", lambda word: word[0].capitalize(), kept) if kept.isupper() else kept
    return kept[:60].strip()


def rhythm_of(field: str, title: str) -> str:
    """The rhythm that an `R:` field, or else a title, names; empty for none that is known."""
    for text in (field.lower(), title.lower()):
        for name, words in RHYTHMS.items():
            if re.search(words, text):
                return name
    return ""


def meter_of(text: str) -> Time | None:
    """The meter of an `M:` field of the dialect; None for one that it does not have."""
    return parse_meter(text) if text in METERS else None
