"""Tests of what a plugin adds to built-in tables, for `composer plugins check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from composer.api import problem
from composer.api.file_format import Format
from composer.api.ranking import Ranking
from composer.cli.render.text import count_noun

if TYPE_CHECKING:
    from composer.api.testing.checks import Check


def extension_checks(extensions: Mapping[str, Mapping[str, Any]]) -> Iterator[Check]:
    """Yield a check of each thing that a plugin adds."""
    from composer.api.testing.checks import Check

    for kind, added in extensions.items():
        for name, value in added.items():
            what, check = _CHECKS[kind]
            yield Check(f"{what} {name}", partial(check, name, value))


def _check_format(name: str, value: Format) -> str:
    from composer.api.testing import check_file_format

    check_file_format(value)
    return " and ".join([word for word, function in (("written", value.write), ("read", value.read)) if function])


def _check_preset(name: str, value: str | Path) -> str:
    from composer.registry import options, plugins
    from composer.training import presets
    from composer.training.settings import Settings

    preset = presets.parse(name, value)
    kind, model = plugins.representation(preset.representation), plugins.model(preset.model)
    plugins.check_pair(kind, model)
    options.parse(kind.Options, presets.as_pairs(preset.options), kind.name)
    options.parse(model.Config, presets.as_pairs(preset.model_settings), model.name)
    options.parse(Settings, presets.as_pairs(preset.training), "training")
    return f"{kind.name}, {model.name}"


def _check_pretrained(name: str, value: Path) -> str:
    from composer.checkpoints.load import load_model

    header = load_model(value).header
    return f"{header.representation}, {header.model}"


def _check_ranking(name: str, value: Ranking) -> str:
    from composer.api.testing.file_formats import MELODY

    return value.rank([-1.0, -0.5], MELODY).text


def _check_check(name: str, value: problem.Check) -> str:
    from composer.api.testing.file_formats import FOREIGN, MELODY

    found = list(value.score(MELODY)) if value.score is not None else []
    if value.data is not None:
        found += [each for data in FOREIGN for each in value.data(data)]
    return f"{count_noun(len(found), 'problem')} in samples"


_CHECKS: Mapping[str, tuple[str, Callable[[str, Any], str]]] = {
    "format": ("file format", _check_format),
    "presets": ("preset", _check_preset),
    "pretrained": ("pretrained model", _check_pretrained),
    "ranking": ("ranking", _check_ranking),
    "check": ("check", _check_check),
}
"""What each kind is called, and its test."""
