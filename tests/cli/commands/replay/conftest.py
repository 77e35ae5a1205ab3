"""A small model that generates, and `replay` of what it generated."""

import pytest

from composer.system.paths import models_folder


@pytest.fixture(scope="module")
def generated():
    """What `gen` returned, by its arguments: the same arguments give the same music."""
    return {}


@pytest.fixture
def gen(composer, checkpoint, generated):
    """Run `composer gen abc` with the small model, where `replay` finds it, or return what it returned before."""
    models_folder().mkdir(parents=True, exist_ok=True)
    (models_folder() / "small.safetensors").write_bytes(checkpoint.read_bytes())

    def run(*arguments):
        if arguments not in generated:
            result = composer("gen", "abc", "--checkpoint", "small", "--seed", "5", "--length", "240", "-q", *arguments)
            assert result.code == 0, result.err
            generated[arguments] = result.data
        return generated[arguments]

    return run


@pytest.fixture
def replay(composer):
    return lambda data, *arguments, **settings: composer("replay", "-", *arguments, stdin=data, **settings)
