"""Folders of models and caches: below COMPOSER_HOME, else in the system's usual places."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "COMPOSER_HOME"


def models_folder() -> Path:
    """Return the folder of the user's models, which may not exist yet."""
    return _below("models", "user_data_path")


def cache_folder() -> Path:
    """Return the folder of encoded corpora and the like, which may not exist yet and can be deleted."""
    return _below("cache", "user_cache_path")


def _below(name: str, where: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / name
    import platformdirs

    place: Path = getattr(platformdirs, where)("composer")
    return place / name if name != "cache" else place
