"""A contract test as a sequence of named checks, each of which passes or fails with a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from composer.api.errors import PluginError
from composer.api.sequence import AnyStep
from composer.registry.guard import describe


class Check(NamedTuple):
    """One check: `run` returns what was checked, for a report, and raises AssertionError with what is wrong.

    The checks of a plugin are run in order, since each needs what earlier ones found.
    """

    name: str
    run: Callable[[], str]

    def result(self) -> str:
        """Run the check and return what was checked. Raises AssertionError, whatever goes wrong."""
        with about(""):
            return self.run()


def expect(condition: object, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` holds, also where Python leaves out assertions."""
    if not condition:
        raise AssertionError(message)


def shortened(steps: Sequence[AnyStep], limit: int = 5) -> str:
    """Return steps for a message: the first few of them, and how many more there are."""
    shown = ", ".join(map(str, steps[:limit])) or "none"
    return f"{shown} and {len(steps) - limit} more" if len(steps) > limit else shown


@contextmanager
def about(what: str) -> Iterator[None]:
    """Raise whatever goes wrong in the context as an AssertionError that begins with `what` was tested, if anything."""
    begin = f"{what}: " if what else ""
    try:
        yield
    except (AssertionError, PluginError) as error:
        raise AssertionError(f"{begin}{error}") from error
    except Exception as error:
        raise AssertionError(f"{begin}{describe(error)}") from error
