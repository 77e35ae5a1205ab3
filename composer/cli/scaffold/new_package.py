"""Write the package of a new plugin from templates, with the names put in.

A template is a file whose name ends in `.in`. In it, `$name` and the like stand for names, and lines from `#if KIND` to
`#end` are for the plugins of that kind: `controls` or `model`; `#else` is between the two. Other files are copied.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from string import Template

from composer.api import ComposerError, UsageError
from composer.api.errors import suggest
from composer.system.files import write_atomic
from composer.system.paths import make_folder

TEMPLATES = Path(__file__).parent / "templates"

KINDS = ("representation", "model")

SUMMARIES = {
    "tokens": "melodies, note by note",
    "frames": "notes of all parts, as frames of an eighth note",
    "model": "a gated recurrent unit (GRU)",
}
"""What the plugins do until their authors change it."""

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class NewPackage:
    """What to write: the plugin's `name`, its `kind`, and for a representation whether it has frames and controls."""

    name: str
    kind: str
    frames: bool = False
    controls: bool = False

    @property
    def distribution(self) -> str:
        """Name of the package, and of its folder."""
        return f"composer-{self.name}"

    @property
    def module(self) -> str:
        return self.distribution.replace("-", "_")

    @property
    def class_name(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def template(self) -> str:
        """Name of the folder of templates."""
        return "model" if self.kind == "model" else "frames" if self.frames else "tokens"

    def commands(self) -> tuple[str, ...]:
        """Return commands that install the plugin and try it, from inside its folder."""
        corpus, tune = "corpus/tunes.abc --valid corpus/held_out.abc --max-updates 300", "--output tune.mid"
        if self.kind == "model":
            trained = f"composer train abc {corpus} --model {self.name} --name {self.name}"
            generated = f"composer gen abc --checkpoint {self.name} {tune}"
        else:
            trained, generated = f"composer train {self.name} {corpus}", f"composer gen {self.name} {tune}"
        return "pip install -e .", f"composer plugins check {self.name}", trained, generated


def write_package(package: NewPackage, parent: Path = Path(), taken: Collection[str] = ()) -> Path:
    """Write the files of `package` into a new folder in `parent`, and return it. `taken` are names it cannot have.

    Raises UsageError for invalid names and kinds, and ComposerError if the folder exists or cannot be written.
    """
    _check(package, taken)
    folder = parent / package.distribution
    if folder.exists() or folder.is_symlink():
        raise ComposerError(f"{folder} already exists", "choose another name, or move that folder away")
    files = dict(_files(package))
    _check_classes(package, files)
    try:
        make_folder(folder.parent)
        folder.mkdir()  # which fails if another process has just made it
        for name, data in files.items():
            write_atomic(folder / name, data)
    except OSError as error:
        raise ComposerError(f"cannot write {folder}: {error.strerror or error}", "check the permissions") from error
    return folder


def _check(package: NewPackage, taken: Collection[str]) -> None:
    """Raise UsageError for what cannot be the name of a plugin, or what its kind does not have."""
    if package.kind not in KINDS:
        raise UsageError(f"unknown kind '{package.kind}'", suggest(package.kind, KINDS))
    name = package.name
    if not NAME.fullmatch(name):
        proposal = "-".join(re.findall("[a-z0-9]+", name.lower())).lstrip("-0123456789") or "my-plugin"
        raise UsageError(
            f"invalid plugin name '{name}'", f"use lower-case letters, digits and hyphens, such as {proposal}"
        )
    if name in taken or iskeyword(package.class_name):
        raise UsageError(f"the name `{name}` is taken", f"choose another name, such as my-{name}")
    for flag in ("frames", "controls") if package.kind == "model" else ():
        if getattr(package, flag):
            raise UsageError(f"--{flag} is for representations, not models", f"leave out --{flag}")


def _check_classes(package: NewPackage, files: Mapping[str, bytes]) -> None:
    """Raise UsageError if a class of the plugin has the name of something else in its module, such as `Piece`."""
    for name, data in files.items():
        if not name.endswith(".py"):
            continue
        for bound, count in Counter(_bound_names(ast.parse(data))).items():
            if count > 1:
                raise UsageError(
                    f"invalid plugin name '{package.name}': its class would be called `{bound}`, which is taken",
                    f"choose another name, such as my-{package.name}",
                )


def _bound_names(module: ast.Module) -> Iterator[str]:
    """Yield the names that a module imports, assigns and defines, those in classes and functions excepted."""
    for node in (*module.body, *(inner for each in module.body if isinstance(each, ast.If) for inner in each.body)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _files(package: NewPackage) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file."""
    names = {
        "name": package.name,
        "distribution": package.distribution,
        "module": package.module,
        "class_name": package.class_name,
        "summary": SUMMARIES[package.template],
        "commands": "\n".join(package.commands()),
    }
    chosen = {"controls"} if package.controls else {"model"} if package.kind == "model" else set()
    for root in (TEMPLATES / "shared", TEMPLATES / package.template):
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            if path.name == "controls.py.in" and not package.controls:
                continue
            name = path.relative_to(root).as_posix().replace("test_package", f"test_{package.name.replace('-', '_')}")
            name = re.sub("^package/", f"{package.module}/", name)
            text = path.read_text("utf-8")
            if name.endswith(".in"):
                text = Template("".join(_chosen_lines(text, chosen))).substitute(names)
            yield name.removesuffix(".in"), text.encode()


def _chosen_lines(text: str, chosen: set[str]) -> Iterator[str]:
    """Yield the lines of a template that are not for other kinds of plugins."""
    wanted = True
    for line in text.splitlines(keepends=True):
        word, _, kind = line.strip().partition(" ")
        if word == "#if":
            wanted = kind in chosen
        elif word == "#else":
            wanted = not wanted
        elif word == "#end":
            wanted = True
        elif wanted:
            yield line
