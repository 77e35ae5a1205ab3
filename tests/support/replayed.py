"""Tunes whose recorded settings are changed, for tests of `composer replay`."""

from composer.formats import provenance
from composer.formats.abc.provenance import is_provenance
from composer.formats.provenance import Provenance

SAME = ": reproduced exactly\n"

OPENING = """X:1
M:4/4
L:1/8
K:C
CDEF GABc|dcBA GFED|C8|
"""

PRIMER = "M:6/8\nL:1/8\nK:D\n|:ABA F"


def changed(data, **facts):
    """Return the ABC of one tune with changed provenance; None removes a fact."""
    (recorded,) = provenance.read(data, "tune")
    kept = {name: value for name, value in {**recorded.facts, **facts}.items() if value is not None}
    music = b"".join(line for line in data.splitlines(keepends=True) if not is_provenance(line.decode()))
    return provenance.mark("abc", music, Provenance(facts.get("program", recorded.program), kept))
