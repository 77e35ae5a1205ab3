"""The libraries that draw pictures, which are installed with the extra `pictures`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from composer.api import ComposerError

INSTALL = "pip install 'composer-cli[pictures]'"

KINDS = (".svg", ".png", ".pdf")
"""Suffixes of picture files."""


def library(module: str, purpose: str) -> Any:
    """Return the module `module`, which `purpose` needs. Raises ComposerError if it cannot be imported."""
    name = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ComposerError(f"{purpose} needs {name}, which is not installed", INSTALL) from error
    except (ImportError, OSError) as error:  # cairosvg raises OSError if the system has no cairo
        reason = str(error).partition("\n")[0]
        raise ComposerError(f"{purpose} needs {name}, which cannot be loaded: {reason}", INSTALL) from error
