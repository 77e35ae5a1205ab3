"""Contract tests for plugins, built in or third-party.

    from composer.api.testing import check_model, check_representation

    def test_contract():
        check_representation(Letters, [source("one", "1.txt"), source("two", "2.txt")])
        check_model(Markov)

Each raises AssertionError with a sentence that says what is wrong. They need no test framework.
"""

from __future__ import annotations

from pathlib import Path

from composer.api.source import Source
from composer.api.testing.file_formats import check_file_format
from composer.api.testing.models import check_model
from composer.api.testing.representations import check_representation

__all__ = ["check_file_format", "check_model", "check_representation", "source"]


def source(content: str | bytes, name: str) -> Source:
    """Return a Source with `content`, as if read from the file `name`."""
    return Source(Path(name), name=name, data=content.encode() if isinstance(content, str) else content)
