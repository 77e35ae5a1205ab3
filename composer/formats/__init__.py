"""File formats: a table of them in `table`, and a folder for each with a reader and a writer.

Importing this package is cheap: the modules of a format load when one of its functions is called.
"""

from composer.api.file_format import Format
from composer.formats.settings import WriteSettings
from composer.formats.table import (
    FORMATS,
    all_formats,
    can_write,
    detect,
    find_format,
    format_named,
    format_of,
    formats_of,
    write,
)

__all__ = [
    "FORMATS",
    "Format",
    "WriteSettings",
    "all_formats",
    "can_write",
    "detect",
    "find_format",
    "format_named",
    "format_of",
    "formats_of",
    "write",
]
