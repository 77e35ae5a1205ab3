"""Errors of XML parsers as errors that name the file and the place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from xml.parsers import expat

from composer.api import ReadError


@contextmanager
def xml_errors_as_read_errors(name: str, hint: str) -> Iterator[None]:
    """Turn what expat raises for the file `name` into a ReadError with line and column, and with `hint`."""
    try:
        yield
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise ReadError(f"{name} is invalid XML at {place}: {expat.ErrorString(error.code)}", hint) from error
    except (LookupError, ValueError) as error:
        raise ReadError(f"{name} has an unknown encoding", hint) from error
