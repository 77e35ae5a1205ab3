"""Reading kern with converter21."""

import pytest

from composer.api import ReadError
from composer.api.testing import source
from composer.formats.kern import reader
from composer.formats.kern.simplified import simplify


def test_of_spines_that_are_not_aligned_only_the_beginning_is_converted(monkeypatch):
    """Converting all of it takes time that grows with the square of its length."""
    bars = "2.D\t(4d\n.\t8e\n.\t4a)\n=\t=\n2F\t6f\n.\t8e\n.\t4a)\n" * 200
    text = f"**kern\t**kern\n*M3/4\t*M3/4\n=1\t=1\n{bars}*-\t*-\n"
    converted = []
    monkeypatch.setattr(reader, "simplify", lambda text: converted.append(text) or simplify(text))
    with pytest.raises(ReadError, match="the note lengths before it add up to different beats"):
        list(reader.read_pieces(source(text.encode(), "a.krn")))
    assert [len(each.splitlines()) < 30 for each in converted] == [True]
