"""What playing a tune out finds wrong in it, without the leniency of `composer check`."""

from composer.check.abc_tunes import diagnostics
from composer.formats.abc.reader.lexer import Diagnostic, split_tunes
from composer.formats.abc.reader.parser import parse_tune


def check(text):
    """Return what is wrong in a file of tunes, by line."""
    found = split_tunes(text)
    if not found:
        return [Diagnostic(1, 1, "no tune", "no tune in this file")]
    return [diagnostic for tune in found for diagnostic in check_tune(tune)]


def check_tune(text):
    """Return what is wrong in one tune, by line."""
    return diagnostics(parse_tune(text))
