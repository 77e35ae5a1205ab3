"""How many particles infilled pieces are generated from."""

from __future__ import annotations

from typing import Any

from composer.api import GenerationContext, Representation, UsageError
from composer.checkpoints.load import LoadedModel
from composer.cli.gen.options import GenOptions
from composer.cli.render.text import join_names

KEEPING = {"keep_bars": 16, "keep_voices": 64}
"""The controls that keep a part of the prompt, which is then a whole piece to infill, and the particles of each.

More improve kept bars by little. Voices weigh particles at every frame, and gain more: `infill.py` and `harmonize.py`
in tests/bench/generated measure both.
"""


def kept_flags(controls: Any) -> list[str]:
    """Return the flags of the controls that keep something of the prompt."""
    return [f"--{name.replace('_', '-')}" for name in KEEPING if getattr(controls, name, "")]


def particles_of(options: GenOptions, model: LoadedModel, context: GenerationContext) -> int:
    """Return the number of particles, 1 without infilling and for pieces whose recipe has none. Raises UsageError."""
    given = options.particles
    if options.context is not None:
        return given or 1
    if context.tune is None:
        if given is not None and given > 1:
            flags = keeping_flags(type(model.representation))
            raise UsageError(
                f"--particles needs {join_names(flags, 'or')}" if flags else "--particles is for infilling",
                f"add {join_names(flags, 'or')}" if flags else "leave out --particles",
                flags=("--particles",),
            )
        return 1
    if given == 1 or options.sampling.is_greedy:  # greedy particles would all be the same
        return 1
    from composer.generation.particles import has_exact_probabilities

    if has_exact_probabilities(model.sampler, model.spec):
        return given or max(count for name, count in KEEPING.items() if getattr(options.controls, name, ""))
    if given is not None:
        raise UsageError(
            f"--particles {given} needs exact probabilities, which `{model.header.model}` does not have",
            "leave out --particles, or use another model",
            flags=("--particles",),
        )
    return 1


def keeping_flags(representation: type[Representation]) -> list[str]:
    """Return the flags by which a representation can keep something of the prompt."""
    fields = representation.Controls.__dataclass_fields__
    return [f"--{name.replace('_', '-')}" for name in KEEPING if name in fields]
