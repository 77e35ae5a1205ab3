"""Phrases of losses agree with their counts."""

import pytest

from composer.check.loss_phrases import counted


@pytest.mark.parametrize(
    ("phrase", "one"),
    [
        ("notes left out", "1 note left out"),
        ("drum notes left out", "1 drum note left out"),
        ("notes of other parts left out", "1 note of other parts left out"),
        ("keys estimated from the notes", "1 key estimated from the notes"),
        ("modes of keys left out", "1 mode of keys left out"),
        ("ties without an end left out", "1 tie without an end left out"),
        ("velocities left out", "1 velocity left out"),
        ("bytes outside of chunks", "1 byte outside of chunks"),
        ("changes of instrument left out", "1 change of instrument left out"),
        ("measure repeats with nothing to repeat left out", "1 measure repeat with nothing to repeat left out"),
        ("notes in the file that were not read", "1 note in the file that was not read"),
        ("notes that were read but are not in the spines", "1 note that was read but is not in the spines"),
        ("names in the section order that no section has", "1 name in the section order that no section has"),
        ("provenance left out", "1 provenance left out"),
        ("provenance of earlier programs left out", "1 provenance of earlier programs left out"),
        ("tie between different notes removed", "1 tie between different notes removed"),
    ],
)
def test_one_is_singular(phrase, one):
    assert counted(1, phrase) == one
    assert counted(2000, phrase) == f"2,000 {phrase}"
