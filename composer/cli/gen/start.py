"""What the pieces of a run start from: the prompt or the tune to infill, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from composer.api import GenerationContext, Representation, UsageError
from composer.cli.gen.options import GenOptions
from composer.cli.gen.particles import kept_flags
from composer.cli.gen.recipe import restore_context
from composer.cli.output.destination import Output
from composer.formats import WriteSettings


class Start(NamedTuple):
    """What the pieces are generated from, the labels that follow, notes on the prompt, and how pieces are written."""

    context: GenerationContext
    labels: Mapping[str, str]
    notes: Sequence[str]
    writing: WriteSettings


def start_of(options: GenOptions, representation: Representation, output: Output) -> Start:
    """Return what the pieces of a run start from. They keep the heading of the tune, if any. Raises UsageError."""
    writing = options.writing
    if options.context is not None:
        context = restore_context(options.context, representation, options.length)
        return Start(context, options.context.labels, (), writing)
    wanted = representation.control_labels(options.controls)
    infill = kept_flags(options.controls)
    if options.unconstrained and options.controls not in (None, unset := representation.Controls()):
        names = (each.name for each in dataclasses.fields(unset))
        given = next(name for name in names if getattr(options.controls, name) != getattr(unset, name))
        flag = f"--{given.replace('_', '-')}"
        raise UsageError(
            f"--unconstrained and {flag} cannot be used together",
            f"leave out --unconstrained or {flag}",
            flags=("--unconstrained", flag),
        )
    if options.prime is None and options.prime_text is None:
        if infill:
            raise UsageError(f"{infill[0]} needs --prime", "add --prime FILE", flags=(infill[0],))
        return Start(GenerationContext(options.length), wanted, (), writing)
    from composer.cli.gen import primer

    console = output.console
    if infill:
        tune = primer.read_whole_piece(representation, console, options.prime, options.prime_text, infill)
        writing, more = tune.heading.written(writing, output.format, native=output.native)
        context = GenerationContext(options.length, tune=tune.piece)
        return Start(context, {**tune.piece.labels, **wanted}, [*tune.notes, *more], writing)
    begun = primer.read_primer(representation, console, options.prime, options.prime_text, options.controls)
    writing, more = begun.heading.written(writing, output.format, native=output.native)
    context = GenerationContext(options.length, begun.steps, labels=begun.labels)
    return Start(context, {**begun.labels, **wanted}, [*begun.notes, *more], writing)
