"""Where this program keeps what it makes: below COMPOSER_HOME, else where the system keeps such things."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "COMPOSER_HOME"


def models_folder() -> Path:
    """The folder of the user's own models. It may not exist yet."""
    return _below("models", "user_data_path")


def cache_folder() -> Path:
    """The folder of what can be made again, such as encoded corpora. It may be removed, and may not exist yet."""
    return _below("cache", "user_cache_path")


def _below(name: str, where: str) -> Path:
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / name
    import platformdirs

    place: Path = getattr(platformdirs, where)("composer")
    return place / name if name != "cache" else place
