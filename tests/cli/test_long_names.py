"""A name of 5,000 characters is no internal error in any argument or option of any command."""

import pytest

from composer.cli.app import command_tree
from composer.cli.command import COMMANDS

LONG = "n" * 4990 + " - 'n' n.n"
WITHOUT_NAMES = {"completions", "help", "version"}
"""Commands without names of files or models."""


def uses(name):
    """Yield the command lines of the command `name` with a long name in one place."""
    parameters = command_tree().get_command(None, name).params
    given = {each.name: "abc" for each in parameters if each.param_type_name == "argument" and each.required}
    for each in parameters:
        if each.param_type_name == "argument":
            yield [name, *{**given, each.name: LONG}.values()]
        elif not each.is_flag:
            yield [name, *given.values(), each.opts[0], LONG]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - WITHOUT_NAMES))
def test_a_long_name(composer, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for arguments in uses(name):
        result = composer(*arguments)
        assert "internal error" not in result.err
        first = next((line for line in result.err.splitlines() if line.startswith("error: ")), "")
        assert bool(first) == bool(result.code)
        assert max(map(len, result.err.splitlines()), default=0) < 600
