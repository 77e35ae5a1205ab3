"""What a card tells of a bundled model: its checkpoint, and what the program prints of it, each command run once.

What a command printed is kept by the digest of the checkpoint and the command, so that a model that stays as it is is
not measured again.
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
from composer.cli.render.text import as_option_value
from composer.data.splits import SplitSettings
from composer.registry import options
from composer.registry import plugins as registry
from composer.training.settings import Settings

FLAGS = {
    "epochs": "--epochs",
    "max_updates": "--max-updates",
    "batch_size": "--batch-size",
    "lr": "--lr",
    "seed": "--seed",
}
"""Settings of training that have flags of their own."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """A model that comes with the program, and the `folder` in which its data is found by the names of its record."""

    path: Path
    header: checkpoint_file.Header
    digest: str
    folder: Path | None

    @classmethod
    def at(cls, path: Path, data: Path | None) -> Bundled:
        """The model at `path`, whose files are in the folder `data`. Raises SystemExit where they are not."""
        header = checkpoint_file.read_header(path)
        return cls(path, header, checkpoint_file.digest(path), _folder(header.record["data"], data, path.stem))

    @property
    def name(self) -> str:
        """What it is called, which is what it composes."""
        return self.path.stem

    @property
    def record(self) -> Mapping[str, Any]:
        """How it was trained."""
        return self.header.record


@dataclass(frozen=True, slots=True)
class Keeping:
    """Commands that are run once, with what they print kept in a `folder`; `anew`, all are run again."""

    folder: Path
    anew: bool = False

    def printed(self, model: Bundled, command: Sequence[str]) -> str:
        """What `composer ...` prints, where the model of its name is this one. Raises SystemExit where it fails."""
        key = hashlib.sha256(json.dumps([model.digest, *command]).encode()).hexdigest()[:16]
        kept = self.folder / f"{model.name}-{command[0]}-{key}.json"
        if kept.is_file() and not self.anew:
            return str(json.loads(kept.read_text("utf-8"))["printed"])
        began = time.monotonic()
        printed = _run(model, command)
        took = time.monotonic() - began
        print(f"{took:7.1f} s  {shlex.join(['composer', *command])}", file=sys.stderr, flush=True)
        told = {"command": command, "checkpoint": model.digest, "seconds": round(took, 1), "printed": printed}
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint_file.write_bytes(kept, json.dumps(told, ensure_ascii=False, indent=1).encode())
        return printed


def costing(model: Bundled) -> list[str]:
    """The command that measures what a step costs on what was held back for validation."""
    data, split = model.record["data"], model.record["split"]
    if isinstance(split.get("valid"), list):
        return _eval(model, split["valid"])
    listing = ["--split", split["list"]] if "list" in split else []
    return _eval(model, data, *listing, "--part", "valid")


def comparing(model: Bundled, count: int) -> list[str]:
    """The command that sets `count` composed pieces beside all that the model was taught and chosen by."""
    held = model.record["split"].get("valid")
    return _eval(model, [*model.record["data"], *(held if isinstance(held, list) else ())], "--generated", str(count))


def composing(model: Bundled, seed: int) -> list[str]:
    """The command that composes a piece that can be read: as ABC, where it is music."""
    formats = registry.representation(model.header.representation).formats
    written = ["--format", "abc"] if "abc" in formats and formats[0] != "abc" else []
    apart = ["--no-provenance"] if "abc" in formats else []
    return ["gen", model.header.representation, "--checkpoint", model.name, "--seed", str(seed), *written, *apart]


def making(model: Bundled, earlier: Sequence[str]) -> list[list[str]]:
    """The commands that made the model, of which none that was `earlier` than the last is in its record.

    Raises SystemExit where they cannot be told.
    """
    if model.record["from"] and not earlier:
        raise SystemExit(f"{model.name}: it began with another model, and nothing says `earlier` how that was made")
    return [*(shlex.split(each) for each in earlier if model.record["from"]), ["composer", *_training(model)]]


def _training(model: Bundled) -> list[str]:
    """The command of the training that made the model; of one that began with another, the last."""
    header, record = model.header, model.record
    kind, network = registry.representation(header.representation), registry.model(header.model)
    parts = ["train", kind.name, *record["data"], *_splitting(model)]
    if record["augmented"]:
        parts.append("--augment")
    changed = dict(_changed(kind.Options, header.options)), dict(_changed(network.Config, header.config))
    if record["from"]:
        parts += ["--from", "first.safetensors"]
    else:
        parts += [part for key, value in changed[0].items() for part in ("-o", f"{key}={value}")]
        if network.name != registry.default_model(kind).name:
            parts += ["--model", network.name]
        parts += _set(changed[1])
    settings = dict(_changed(Settings, record["settings"]))
    parts += [part for key in FLAGS if key in settings for part in (FLAGS[key], settings.pop(key))]
    return [*parts, *_set(settings), "--name", model.name]


def _changed(kind: type[Any], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The `values` that are not those of `kind` by default, as they are given."""
    told, default = options.restore(kind, values, kind.__name__), kind()
    for key in values:
        if getattr(told, key) != getattr(default, key):
            yield key, as_option_value(getattr(told, key))


def _set(pairs: Mapping[str, str]) -> list[str]:
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def _splitting(model: Bundled) -> list[str]:
    """What says which pieces were held back. Raises SystemExit for shares that only a preset can have set."""
    split = model.record["split"]
    if "list" in split:
        return ["--split", split["list"]]
    if isinstance(split["valid"], list):
        return [part for name in split["valid"] for part in ("--valid", name)]
    if split != SplitSettings().describe():
        raise SystemExit(f"{model.name}: no flag of `composer train` splits by {split}")
    return []


def _eval(model: Bundled, data: Sequence[str], *flags: str) -> list[str]:
    return ["eval", model.header.representation, *data, "--checkpoint", model.name, *flags]


def _run(model: Bundled, command: Sequence[str]) -> str:
    """Run the program where the data is, with the model by its place in case the user has another of its name."""
    placed = [*command]
    placed[placed.index("--checkpoint") + 1] = str(model.path.resolve())
    as_json = ["--json"] if command[0] == "eval" else []
    done = subprocess.run(
        [sys.executable, "-m", "composer", *placed, *as_json, "--quiet"],
        check=False,
        capture_output=True,
        cwd=model.folder,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    if done.returncode:
        raise SystemExit(f"{shlex.join(['composer', *command])}\n{done.stderr.decode()}")
    return done.stdout.decode()


def _folder(names: Sequence[str], data: Path | None, model: str) -> Path | None:
    """Where files of these names are; None where none is a file."""
    files = [name for name in names if not name.startswith("corpus:")]
    if not files:
        return None
    for folder in (data, data.parent) if data else ():
        if all((folder / name).exists() for name in files):
            return folder.resolve()
    raise SystemExit(f"{model}: give with --data the folder that has {', '.join(files)}")
