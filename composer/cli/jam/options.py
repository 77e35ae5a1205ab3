"""The options of `composer jam`."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composer.api import UsageError
from composer.api.fields import check_ranges, option
from composer.api.sampling.params import SamplingParams

SAMPLING, LIVE, MODEL = "Sampling", "Live", "Model"


@dataclass(frozen=True, slots=True)
class JamOptions:
    """Options of `composer jam`; `controls` are those of the representation. Raises UsageError, OptionError."""

    representation: str = option(help="Representation, such as abc. [default: that of --checkpoint]", argument="REP")
    seed: int | None = option(
        None, "Random seed of the first piece.", metavar="N", panel=SAMPLING, minimum=0, maximum=2**63 - 1
    )
    sampling: SamplingParams = option(SamplingParams(), panel=SAMPLING)
    conditions: tuple[str, ...] = option(
        (), "Condition on a label, such as artist=burns.", "--condition",
        metavar="KEY=VALUE", panel=SAMPLING, repeated=True,
    )  # fmt: skip
    port: str | None = option(
        None, "Play through this MIDI port; part of its name is enough.", metavar="NAME", panel=LIVE
    )
    soundfont: str = option("", "SoundFont, or none for the built-in synthesizer.", metavar="FILE", panel=LIVE)
    input: str | None = option(
        None, "Answer what is played on this MIDI port, such as a keyboard.", "--in", metavar="NAME", panel=LIVE
    )
    tempo: float | None = option(
        None, "Tempo in quarter notes per minute. [default: that of each piece, else 120]",
        metavar="BPM", panel=LIVE, minimum=4, maximum=1000,
    )  # fmt: skip
    seconds: float | None = option(
        None, "Stop after N seconds.", metavar="N", panel=LIVE, minimum=0.1, maximum=10**7, hint="use a positive number"
    )
    checkpoint: Path | None = option(
        None, "Model name or file. [default: the one set by `composer models use`, else the bundled one]", "-c",
        metavar="NAME", panel=MODEL,
    )  # fmt: skip
    device: str = option("auto", "Device: auto, cpu, cuda or mps.", metavar="DEVICE", panel=MODEL)
    quiet: bool = option(False, "Print only warnings and errors.", "-q", "--quiet")
    controls: Any = field(default=None, metadata={"internal": True})

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.sampling.ramp is not None:
            raise UsageError(
                "a jam has no end to ramp --temp to", f"use --temp {self.sampling.ramp.first:g}", flags=("--temp",)
            )
        if self.port is not None and self.soundfont:
            raise UsageError(
                "--port and --soundfont cannot be used together",
                "leave out one of them",
                flags=("--port", "--soundfont"),
            )
