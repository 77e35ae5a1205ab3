"""Plugin hooks. An entry point in the group `composer` names a module that implements one or more of them.

    # pyproject.toml
    [project.entry-points.composer]
    letters = "my_package.letters"

    # my_package/letters.py
    from composer.api import hookimpl

    @hookimpl
    def composer_representation():
        return Letters

The entry point has the same name as the class, format, ranking or check: its `name`. Presets and pretrained models are
named after their files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from composer.api.model import Model
from composer.api.representation import Representation

if TYPE_CHECKING:
    from composer.api.file_format import Format
    from composer.api.problem import Check
    from composer.api.ranking import Ranking

API_VERSION = 1
"""Version of the interface; it increases with changes that break plugins."""

PROJECT = "composer"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def composer_representation() -> type[Representation]:
    """Return the representation that this plugin adds."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_model() -> type[Model]:
    """Return the model that this plugin adds."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_format() -> Format:
    """Return the file format that this plugin adds."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_presets() -> str | Path:
    """Return the presets that this plugin adds: the TOML text of one with the plugin's name, or a folder of files."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_pretrained() -> Path:
    """Return a folder with trained models, NAME.safetensors, and their cards, NAME.md."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_ranking() -> Ranking:
    """Return the ranking for `--rank-by` that this plugin adds."""
    raise AssertionError("hook specifications are never called")


@hookspec
def composer_check() -> Check:
    """Return the check of music files that this plugin adds."""
    raise AssertionError("hook specifications are never called")


EXTENSIONS = {
    "format": composer_format,
    "presets": composer_presets,
    "pretrained": composer_pretrained,
    "ranking": composer_ranking,
    "check": composer_check,
}
"""The hooks for what extends a built-in table, by kind."""
