"""MEI, the XML format of the Music Encoding Initiative, read by music21 with converter21."""

import re

_MEI = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*>\s*)*"
    rb"<(?:[\w.-]+:)?mei(?:Corpus)?[\s>]",
    re.DOTALL,
)


def is_mei(data: bytes) -> bool:
    """Return whether `data` is XML whose first element is that of MEI, in UTF-8 or UTF-16."""
    # in UTF-16 every other byte of this text is zero
    return bool(_MEI.match(data[:65536].replace(b"\0", b"")))
