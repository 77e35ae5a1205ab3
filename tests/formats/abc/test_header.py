"""Titles, tempos and instruments that are written into a stream of ABC text."""

import pytest

from composer.formats.abc.header import HeaderWriter

TUNE = "X:1\nT:Old\nT:Older\nM:4/4\nQ:1/4=60\nK:G\nG4|\nT:Part\n[Q:1/4=70]A4|]\n"


def written(writer, size=1000):
    data = TUNE.encode()
    pieces = [writer.push(data[at : at + size]) for at in range(0, len(data), size)]
    return b"".join([*pieces, writer.finish()]).decode()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_fields_of_the_header_are_replaced(size):
    header = "X:1\nT:New\nM:4/4\nQ:1/4=90.5\n%%MIDI program 73\nK:G\n"
    assert written(HeaderWriter("New", 90.5, 73), size) == header + TUNE.split("K:G\n")[1]


def test_what_is_not_given_stays():
    assert written(HeaderWriter(tempo=90)) == TUNE.replace("Q:1/4=60", "Q:1/4=90")
    assert written(HeaderWriter("New")) == TUNE.replace("T:Old\nT:Older", "T:New")
    assert written(HeaderWriter(instrument=0)) == TUNE.replace("K:G", "%%MIDI program 0\nK:G")
