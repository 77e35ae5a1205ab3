"""Plugins that are installed for a test, and the program that uses them."""

from types import SimpleNamespace

import pytest
from broken_plugins import Small, Words
from small_plugins import words

from composer.api import Representation, hookimpl
from composer.checkpoints import store
from composer.registry import plugins as registry
from composer.registry.entry_points import EntryPoint


@pytest.fixture
def install(monkeypatch):
    """Make a class the plugin `broken` of composer-broken 1.0."""
    installed = registry._plugins()

    def make(*kinds, name="broken", module=None):
        hooks = {
            "composer_representation" if issubclass(kind, Representation) else "composer_model": hookimpl(
                lambda kind=kind: kind
            )
            for kind in kinds
        }
        module = module or SimpleNamespace(**hooks)

        class Installed(EntryPoint):
            def load(self):
                return module() if callable(module) else module

        registry.load.cache_clear()
        known = {**installed, name: (Installed(name, "broken", "composer-broken 1.0"),)}
        monkeypatch.setattr(registry, "_plugins", lambda: known)

    yield make
    monkeypatch.undo()
    registry.load.cache_clear()


@pytest.fixture
def text(tmp_path):
    """A file of words."""
    path = tmp_path / "words.txt"
    path.write_text(" ".join(words(60)))
    return path


@pytest.fixture
def train(composer, text, install):
    """Train with plugins called `broken`, and return the result."""

    def run(representation, model, *arguments):
        install(representation, model)
        name = ("--model", "broken", "--name", "it", "--max-updates", "1", "--quiet")
        return composer("train", "broken", text, *name, *arguments)

    return run


@pytest.fixture(scope="session")
def trained():
    """The bytes of a model that healthy plugins trained, once there is one."""
    return []


@pytest.fixture
def gen(composer, train, install, trained):
    """Generate with a model that healthy plugins trained, and return the result."""

    def run(representation, model, *options):
        path = store.path_for("it")
        if not trained:
            assert train(Words, Small).code == 0
            trained.append(path.read_bytes())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(trained[0])
        install(representation, model)
        return composer("gen", "broken", "--checkpoint", path, "--length", "20", "--seed", "1", *options)

    return run
