"""Commands that measure a bundled model for its card, each run once.

Outputs are cached by the digests of the checkpoint and the command, so a model that has not changed is not measured
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer.checkpoints import file as checkpoint_file
from composer.checkpoints.default_temperature import ENTRY, default_temperature
from composer.data.splits import SplitSettings
from composer.registry import options
from composer.registry import plugins as registry
from composer.registry.options import as_option_value
from composer.system.files import write_atomic
from composer.training.settings import Settings

FLAGS = {
    "epochs": "--epochs",
    "max_updates": "--max-updates",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "seed": "--seed",
}
"""Training settings that have options of their own."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """A bundled model, and the `folder` with the data that its record names."""

    path: Path
    header: checkpoint_file.Header
    digest: str
    folder: Path | None

    @classmethod
    def at(cls, path: Path, data: Path | None) -> Bundled:
        """Return the model at `path`, with its files in the folder `data`. Raises SystemExit if they are missing."""
        header = checkpoint_file.read_header(path)
        return cls(path, header, checkpoint_file.digest(path), _folder(header.record["data"], data, path.stem))

    @property
    def name(self) -> str:
        """Its name; the default model of a representation has its name."""
        return self.path.stem

    @property
    def record(self) -> Mapping[str, Any]:
        """How it was trained."""
        return self.header.record


@dataclass(frozen=True, slots=True)
class OutputCache:
    """Outputs of commands, cached in a `folder`; with `refresh`, all commands are run again."""

    folder: Path
    refresh: bool = False

    def output(self, model: Bundled, command: Sequence[str]) -> str:
        """Return what `composer ...` prints with this model. Raises SystemExit if it fails."""
        key = hashlib.sha256(json.dumps([model.digest, *command]).encode()).hexdigest()[:16]
        path = self.folder / f"{model.name}-{command[0]}-{key}.json"
        if path.is_file() and not self.refresh:
            return str(json.loads(path.read_text("utf-8"))["printed"])
        start = time.monotonic()
        printed = _run(model, command)
        seconds = time.monotonic() - start
        print(f"{seconds:7.1f} s  {shlex.join(['composer', *command])}", file=sys.stderr, flush=True)
        entry = {"command": command, "checkpoint": model.digest, "seconds": round(seconds, 1), "printed": printed}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(entry, ensure_ascii=False, indent=1).encode())
        return printed


def likelihood_command(model: Bundled) -> list[str]:
    """Return the command that measures the likelihood of the held-out pieces."""
    data, split = model.record["data"], model.record["split"]
    if isinstance(split.get("valid"), list):
        return _eval(model, split["valid"])
    listing = ["--split", split["list"]] if "list" in split else []
    return _eval(model, data, *listing, "--part", "valid")


def comparison_command(model: Bundled, count: int) -> list[str]:
    """Return the command that compares `count` generated pieces with the training and validation data."""
    held_out = model.record["split"].get("valid")
    return _eval(
        model, [*model.record["data"], *(held_out if isinstance(held_out, list) else ())], "--generated", str(count)
    )


def generation_command(model: Bundled, seed: int) -> list[str]:
    """Return the command that generates a piece as text, music as ABC."""
    formats = registry.representation(model.header.representation).formats
    as_text = ["--format", "abc"] if "abc" in formats and formats[0] != "abc" else []
    bare = ["--no-provenance"] if "abc" in formats else []
    return ["gen", model.header.representation, "--checkpoint", model.name, "--seed", str(seed), *as_text, *bare]


def training_commands(model: Bundled, earlier: Sequence[str]) -> list[list[str]]:
    """Return the commands that trained the model: the last from its record, those before it from `earlier`.

    Raises SystemExit if they are unknown.
    """
    if model.record["from"] and not earlier:
        raise SystemExit(f"{model.name}: trained from another model, and cards.toml has no `earlier` commands for it")
    before = [shlex.split(each) for each in earlier] if model.record["from"] else []
    origin = before[-1][before[-1].index("--name") + 1] if before else ""
    return [*before, ["composer", *_training(model, origin)]]


def _training(model: Bundled, origin: str) -> list[str]:
    """Return the command of the training, or the last one if it started from another model, called `origin`."""
    header, record = model.header, model.record
    kind, network = registry.representation(header.representation), registry.model(header.model)
    parts = ["train", kind.name, *record["data"], *_split_options(model)]
    if record["augmented"]:
        parts.append("--augment")
    changed = dict(_changed(kind.Options, header.options)), dict(_changed(network.Config, header.config))
    if record["from"]:
        parts += ["--from", f"{origin}.safetensors"]
    else:
        parts += [part for key, value in changed[0].items() for part in ("-O", f"{key}={value}")]
        parts += ["--model", network.name, *_set(changed[1])]
    settings = dict(_changed(Settings, record["settings"]))
    parts += [part for key in FLAGS if key in settings for part in (FLAGS[key], settings.pop(key))]
    if record.get(ENTRY) is not None:
        parts += ["--default-temp", f"{default_temperature(record):g}"]
    return [*parts, *_set(settings), "--name", f"my-{model.name}"]


def _changed(kind: type[Any], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the `values` that differ from the defaults of `kind`, as option values."""
    restored, default = options.restore(kind, values, kind.__name__), kind()
    for key in values:
        if getattr(restored, key) != getattr(default, key):
            yield key, as_option_value(getattr(restored, key))


def _set(pairs: Mapping[str, str]) -> list[str]:
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def _split_options(model: Bundled) -> list[str]:
    """Return the options for the split. Raises SystemExit for shares, which only presets can set."""
    split = model.record["split"]
    if "list" in split:
        return ["--split", split["list"]]
    if isinstance(split["valid"], list):
        return [part for name in split["valid"] for part in ("--valid", name)]
    if split != SplitSettings().describe():
        raise SystemExit(f"{model.name}: no option of `composer train` gives the split {split}")
    return []


def _eval(model: Bundled, data: Sequence[str], *flags: str) -> list[str]:
    return ["eval", model.header.representation, *data, "--checkpoint", model.name, *flags]


def _run(model: Bundled, command: Sequence[str]) -> str:
    """Run the program in the data folder, with the model's path, since the user may have another one of its name."""
    arguments = [*command]
    arguments[arguments.index("--checkpoint") + 1] = str(model.path.resolve())
    as_json = ["--json"] if command[0] == "eval" else []
    done = subprocess.run(
        [sys.executable, "-m", "composer", *arguments, *as_json, "--quiet"],
        check=False,
        capture_output=True,
        cwd=model.folder,
        env={**os.environ, "PYTHONUTF8": "1", "COMPOSER_CONFIG": ""},
    )
    if done.returncode:
        raise SystemExit(f"{shlex.join(['composer', *command])}\n{done.stderr.decode()}")
    return done.stdout.decode()


def _folder(names: Sequence[str], data: Path | None, model: str) -> Path | None:
    """Return the folder with files of these names; None if none is a file. Raises SystemExit if they are missing."""
    files = [name for name in names if not name.startswith("corpus:")]
    if not files:
        return None
    for folder in (data, data.parent) if data else ():
        if all((folder / name).exists() for name in files):
            return folder.resolve()
    raise SystemExit(f"{model}: missing files; use --data with the folder of {', '.join(files)}")
