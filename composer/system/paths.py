"""Folders of models and caches: below COMPOSER_HOME, else in the system's usual places."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE, CONFIG_VARIABLE = "COMPOSER_HOME", "COMPOSER_CONFIG"


def models_folder() -> Path:
    """Return the folder of the user's models, which may not exist yet."""
    return _below("models", "user_data_path")


def cache_folder() -> Path:
    """Return the folder of encoded corpora and the like, which may not exist yet and can be deleted."""
    return _below("cache", "user_cache_path")


def home_folder() -> Path | None:
    """Return the folder that COMPOSER_HOME names, None if it is not set."""
    home = os.environ.get(HOME_VARIABLE)
    return expand_home(home) if home else None


def expand_home(name: str) -> Path:
    """Return the path called `name`, where `~/` is the home folder unless there is a folder called `~`.

    Shells do the same, but not in quotes, after `=` or in files of settings. `~tune.abc` is a file.
    """
    if name.startswith("~/") and not Path("~").is_dir():
        return Path(os.path.expanduser(name))  # noqa: PTH111 - that of Path raises an error if there is no home folder
    return Path(name)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create `folder` and those above it unless they exist, all with `mode`. Raises OSError.

    `Path.mkdir` creates those above it with the mode that umask allows, and calls itself for each of them.
    """
    missing = [folder]
    while not missing[-1].parent.is_dir() and missing[-1].parent != missing[-1]:
        missing.append(missing[-1].parent)
    for each in reversed(missing):
        each.mkdir(mode, exist_ok=True)


def config_file() -> Path | None:
    """Return the path of the configuration file, which may not exist; None if COMPOSER_CONFIG is set but empty."""
    given = os.environ.get(CONFIG_VARIABLE)
    if given is not None:
        return expand_home(given) if given else None
    return _below("config.toml", "user_config_path")


def _below(name: str, where: str) -> Path:
    if (home := home_folder()) is not None:
        return home / name
    import platformdirs

    place: Path = getattr(platformdirs, where)("composer")
    return place / name if name != "cache" else place
