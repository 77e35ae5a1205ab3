"""A contract test as a sequence of named checks, each of which passes or fails with a sentence."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
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
def nothing_printed() -> Iterator[None]:
    """Expect that Python prints nothing to stdout in the context."""
    with redirect_stdout(io.StringIO()) as printed:
        yield
    text = " ".join(printed.getvalue().split())
    shown = text if len(text) <= 40 else f"{text[:40]}..."
    expect(not printed.getvalue(), f"it printed {shown!r} to stdout, which is for music")


@contextmanager
def random_state_kept(methods: str) -> Iterator[None]:
    """Expect that `methods`, which are called in the context, leave the global random state of torch as it is."""
    import torch

    torch.rand(1)  # so that the state differs from that after any call of `manual_seed`
    before = torch.get_rng_state()
    yield
    expect(
        torch.equal(before, torch.get_rng_state()),
        f"{methods} changed the global random state of torch: use neither `torch.manual_seed` nor its random numbers, "
        "but `rng`, or a `torch.Generator`",
    )


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
