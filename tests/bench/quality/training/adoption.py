"""Take in models that were trained elsewhere, with the commands of a stage and a seed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from composer.api import UsageError
from composer.checkpoints.file import Header, digest, read_header

from ..commands import flag, parted, tidy, words
from ..stages import Stage
from .store import CUT, Store, Trained, chain

SETTINGS = {"--batch-size": "batch_size", "--lr": "lr", "--max-updates": "max_updates", "--epochs": "epochs"}
SWITCHES = {"on": True, "off": False, "true": True, "false": False}


def adopt(stage: Stage, seed: int, files: Sequence[Path], store: Store) -> None:
    """Copy the models of a stage's trainings into the store, so that they are only measured.

    Raises UsageError if a file was not trained with its command and the seed, or did not finish.
    """
    if len(files) != len(stage.train):
        raise UsageError(
            f"{stage.name} has {len(stage.train)} trainings, not {len(files)}", "give the model of each, in order"
        )
    headers = [read_header(path) for path in files]
    for number, (path, command, header) in enumerate(zip(files, stage.train, headers, strict=True)):
        origin = digest(files[number - 1]) if "$BEFORE" in command else None
        for name, value, wanted in _facts(command, seed, header, origin):
            if value != wanted:
                raise UsageError(
                    f"{path} was trained with {name} {value}, not {wanted}", f"train it as {tidy(command)}"
                )
    for path, command, header, key in zip(files, stage.train, headers, chain(stage, seed), strict=True):
        store.model(key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, store.model(key))
        store.keep_trained(key, trained_from(command, seed, header.record))


def trained_from(command: str, seed: int, record: Mapping[str, Any]) -> Trained:
    """Return the training that a checkpoint's record describes."""
    reported = record["reported"] if record["best"] is not None else None
    ended = {"steps": record["updates"], "seconds": record["seconds"], "best_step": record["best_update"]}
    return Trained(tidy(command), seed, **ended, reported=reported, unit=record["unit"], reason=record["reason"])


def _facts(command: str, seed: int, header: Header, origin: str | None) -> Iterator[tuple[str, object, object]]:
    """Yield the name of each fact of a training, its value and the one that the command sets."""
    record, settings = header.record, header.record["settings"]
    yield "seed", settings["seed"], seed
    yield "representation", header.representation, words(command)[1]
    yield "--augment", record.get("augmented", False), "--augment" in words(command)
    yield "end", CUT if record["reason"] == CUT else "complete", "complete"
    yield "--from", (record.get("from") or {}).get("digest"), origin
    if (model := flag(command, "--model")) is not None:
        yield "--model", header.model, model
    for option, name in SETTINGS.items():
        if (value := flag(command, option)) is not None:
            yield option, settings[name], _parsed(value, settings[name])
    for part in parted(words(command)):
        name, _, value = part[-1].partition("=")
        places = {"--set": {**header.config, **settings}, "-O": header.options}.get(part[0])
        if places is not None:
            yield name, places.get(name), _parsed(value, places.get(name))


def _parsed(text: str, like: object) -> object:
    """Return the value of a setting as text, in the type of `like`."""
    if isinstance(like, list | tuple):  # one value for each layer
        return type(like)(_parsed(part, each) for part, each in zip(text.split(","), like, strict=False))
    if isinstance(like, bool):
        return SWITCHES.get(text, text)
    if isinstance(like, int | float):
        try:
            return type(like)(float(text))
        except ValueError:
            return text
    return text
