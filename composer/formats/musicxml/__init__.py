"""MusicXML, read directly and written by way of music21."""


def is_notation(data: bytes) -> bool:
    """Return whether `data` is MusicXML, packed or not, in UTF-8 or UTF-16."""
    if data[:2] == b"PK":
        return True
    # in UTF-16 every other byte of this text is zero
    begin = data[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return begin[:2] in {b"<?", b"<s", b"<!"}
