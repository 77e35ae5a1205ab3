"""Plurals, lists of names and durations, as text."""

from __future__ import annotations

from collections.abc import Sequence

MEANINGFUL_SECONDS, MEANINGFUL_SHARE = 3.0, 0.02
"""How long work must have lasted, and how much of it must be done, before the time left can be estimated."""


def count_noun(number: int, noun: str) -> str:
    """`1 piece`, `2,000 pieces`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: Sequence[str], word: str = "and") -> str:
    """`abc`, `abc and grid`, `abc, grid and pianoroll`."""
    return f" {word} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def file_size(size: int) -> str:
    """`300 kB`, `1.9 MB`; `size` is in bytes."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(round(size / 1e3), 1)} kB"


def time_left(elapsed: float, done: float, left: float) -> str:
    """`40 s left`, after `elapsed` seconds for what is `done`; empty as long as an estimate means little."""
    if elapsed < MEANINGFUL_SECONDS or not done or done < MEANINGFUL_SHARE * (done + left):
        return ""
    return f"{duration(elapsed / done * left)} left"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
