"""Plugin hooks. An entry point in the group `composer` names a module that implements one or both.

    # pyproject.toml
    [project.entry-points.composer]
    letters = "my_package.letters"

    # my_package/letters.py
    from composer.api import hookimpl

    @hookimpl
    def composer_representation():
        return Letters

The entry point has the same name as the class: its `name`.
"""

from __future__ import annotations

import pluggy

from composer.api.model import Model
from composer.api.representation import Representation

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
