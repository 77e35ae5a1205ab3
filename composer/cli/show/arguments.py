"""What the arguments of `composer show` name: models, and sources of music or text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from composer.api import ReadError, Source
from composer.api.source import missing_file_error
from composer.cli.console import Console


def named(arguments: Sequence[str], console: Console) -> Iterator[Path | Source | ReadError]:
    """Yield the path of each model and each source that `arguments` name, and an error for each that is not readable.

    Raises ReadError if an argument names nothing.
    """
    from composer.checkpoints import store
    from composer.cli import inputs
    from composer.data.sources import is_pattern, sources

    for argument in arguments:
        given = Path(argument)
        is_name = given.name == argument and (not given.exists() or given.is_dir())
        path = (store.model_named(argument.removesuffix(store.SUFFIX)) if is_name else None) or given
        if argument == "-":
            yield Source(path, name="stdin", data=console.read_bytes())
        elif path.suffix == ".safetensors" and path.exists():
            yield path
        elif path.is_file() and path.suffix.lower() != ".zip":
            yield Source(path, name=argument)
        elif path.exists() or is_pattern(argument):
            found = False
            for source in sources([argument], sorted(inputs.suffixes()), console.read_bytes):
                found = True
                yield source
            if not found:
                raise ReadError(f"no music files in {argument}", "name files, or another folder")
        elif path.suffix not in {"", store.SUFFIX} or not is_name:
            raise missing_file_error(argument)
        else:
            raise ReadError(f"no file or model named '{argument}'", store.name_hint(given.name))
