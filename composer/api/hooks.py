"""The two hooks of a plugin. An entry point in the group `composer` names a module that implements one or both.

    # pyproject.toml
    [project.entry-points.composer]
    letters = "my_package.letters"

    # my_package/letters.py
    from composer.api import hookimpl

    @hookimpl
    def composer_representation():
        return Letters

The entry point's name is the plugin's name, and the same as the class's `name`.
"""

from __future__ import annotations

import pluggy

from composer.api.model import Model
from composer.api.representation import Representation

API_VERSION = 1
"""The version of everything in `composer.api`. It rises when a plugin would have to be changed."""

PROJECT = "composer"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def composer_representation() -> type[Representation]:
    """The representation that this plugin adds."""
    raise AssertionError("a specification is never called")


@hookspec
def composer_model() -> type[Model]:
    """The model that this plugin adds."""
    raise AssertionError("a specification is never called")
