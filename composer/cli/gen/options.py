"""The options of `composer gen`: their flags, help, checks and recipe are derived from these fields."""

# No `from __future__ import annotations`: the strings would be evaluated at every start.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from composer.api import StepKind, UsageError
from composer.api.errors import suggest
from composer.api.fields import check_ranges, invalid_value, option
from composer.api.sampling.params import SamplingParams
from composer.formats import WriteSettings

SAMPLING, SELECTION, PROMPT, OUTPUT, MODEL = "Sampling", "Selection", "Prompt", "Output", "Model"
MAX_CANDIDATES = 1_000_000

ENDING_TRIES = {StepKind.TOKENS: 16, StepKind.FRAMES: 8}
"""Endings that are tried by default. Two bars are short, so eight of them add 40 % to the time of a piano roll.

One ending of a melody in four closes in the key that is asked for.
"""
MAX_ENDING_TRIES = 1000

RANKINGS = {
    "likelihood": "how close its likelihood per step is to that of held-out music",
    "originality": "how short the longest run copied from the training data is",
    "form": "repeats, phrases and a final cadence",
}
"""The built-in rankings of candidates; plugins add others."""


GIBBS_STARTS = ("previous", "zeros")


def _known_start(name: str) -> str:
    """Return `name`. Raises OptionError if Gibbs steps cannot start there."""
    if name not in GIBBS_STARTS:
        raise invalid_value("--gibbs-from", name, f"use {' or '.join(GIBBS_STARTS)}")
    return name


def ranking_names() -> list[str]:
    """Return the names of all rankings, the built-in ones first."""
    from composer.registry import plugins as registry

    return [*RANKINGS, *registry.extensions("ranking", RANKINGS)]


def _known_ranking(name: str) -> str:
    """Return `name`. Raises OptionError if there is no such ranking."""
    from composer.registry import plugins as registry

    if name not in RANKINGS and registry.extension("ranking", name, RANKINGS) is None:
        raise invalid_value("--rank-by", name, suggest(name, ranking_names()))
    return name


class RecordedContext(NamedTuple):
    """What a piece was generated from, in a recipe: packed steps of a primer or tune, their labels, and the rules.

    `choices` are those of `--choose`, by phrase, and `ending` is where its ending begins, if it was generated again.
    """

    primer: str = ""
    tune: str = ""
    labels: Mapping[str, str] = {}
    rules: int = 1
    choices: Sequence[int | Mapping[str, Any]] = ()
    ending: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Selection:
    """How many `candidates` to generate and how many to keep. Raises UsageError, OptionError."""

    candidates: int | None = option(
        None, "Generate N candidates and keep the best. [default: 3; 2 for pianoroll; 1 for text and infilling]",
        metavar="N", minimum=1, maximum=MAX_CANDIDATES,
    )  # fmt: skip
    keep: int | None = option(None, "Keep the best K candidates. [default: 1]", metavar="K")
    rank_by: str | None = option(
        None, "Rank candidates by likelihood, originality or form. [default: form; likelihood for text]",
        metavar="RANKING", parse=_known_ranking, choices=ranking_names,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.candidates is None:
            for flag, value in (("--keep", self.keep), ("--rank-by", self.rank_by)):
                if value is not None:
                    hint = f"use --candidates {max(20, self.best)} {flag} {value}"
                    raise UsageError(f"{flag} needs --candidates", hint, flags=(flag,))
        elif not 1 <= self.best <= self.candidates:
            raise UsageError(
                f"invalid value for --keep: '{self.best}'",
                f"use 1 to {self.candidates}",
                flags=("--keep", "--candidates"),
            )

    @property
    def best(self) -> int:
        """How many candidates to keep."""
        return 1 if self.keep is None else self.keep

    @property
    def chosen(self) -> bool:
        """Whether the player chose among several candidates; a single one is just a piece."""
        return self.candidates is not None and (self.candidates > 1 or self.rank_by is not None)


@dataclass(frozen=True, slots=True)
class GenOptions:
    """Options of `composer gen`; `controls` are those of the representation.

    `context` replaces the prompt when a recipe is replayed. Raises UsageError, OptionError.
    """

    representation: str = option(help="Representation, such as abc. [default: that of --checkpoint]", argument="REP")
    count: int = option(
        1, "Number of pieces.", "-n", metavar="N", panel=SAMPLING, minimum=1, maximum=10**9, recorded=False
    )
    length: int | None = option(
        None, "Maximum length in tokens or frames.", metavar="N", panel=SAMPLING, minimum=1, maximum=10**9
    )
    seed: int | None = option(None, "Random seed.", metavar="N", panel=SAMPLING, minimum=0, maximum=2**63 - 1)
    sampling: SamplingParams = option(SamplingParams(), panel=SAMPLING)
    gibbs: int | None = option(
        None, "Gibbs steps per frame, for rnnrbm models.", metavar="N", panel=SAMPLING, minimum=1, maximum=10**6
    )
    gibbs_from: str | None = option(
        None, "Start the Gibbs steps of a frame from the previous frame or from zeros.",
        metavar="START", panel=SAMPLING, parse=_known_start, choices=GIBBS_STARTS,
    )  # fmt: skip
    conditions: tuple[str, ...] = option(
        (), "Condition on a label, such as artist=burns.", "--condition",
        metavar="KEY=VALUE", panel=SAMPLING, repeated=True,
    )  # fmt: skip
    unconstrained: bool = option(False, "Turn off the representation's constraints.", panel=SAMPLING)
    max_copy: int | None = option(
        None, "Reject pieces that copy more than N consecutive notes from a training tune.",
        metavar="N", panel=SELECTION,
        minimum=4, maximum=10**9, hint="use 4 or more; shorter runs occur in every piece",
    )  # fmt: skip
    selection: Selection = option(Selection(), panel=SELECTION, recorded=False)
    ending_tries: int | None = option(
        None,
        "Generate the last two bars up to N times, until the piece closes on the tonic; 1 = once. "
        f"[default: {ENDING_TRIES[StepKind.FRAMES]} for pianoroll, {ENDING_TRIES[StepKind.TOKENS]} for grid, else 1]",
        metavar="N", panel=SELECTION, minimum=1, maximum=MAX_ENDING_TRIES, recorded=False,
    )  # fmt: skip
    choose: int | None = option(
        None, "Choose each phrase from N continuations.",
        metavar="N", panel=SELECTION, minimum=2, maximum=9, hint="use 2 to 9", recorded=False,
    )  # fmt: skip
    prime: str | None = option(None, "Continue this file (- for stdin).", metavar="FILE", panel=PROMPT, recorded=False)
    prime_text: str | None = option(None, "Continue this text.", metavar="TEXT", panel=PROMPT, recorded=False)
    particles: int | None = option(
        None,
        "Infill: sample N candidates and weight them by how likely the kept music is after them; 1 = no lookahead. "
        "[default: 16; 64 with --keep-voices]",
        metavar="N", panel=PROMPT, minimum=1, maximum=4096,
    )  # fmt: skip
    output: str | None = option(
        None, "Output file or folder/; the suffix sets the format, and %d is the piece's number.", "-o",
        metavar="FILE", panel=OUTPUT, recorded=False,
    )  # fmt: skip
    format: str | None = option(None, "Output format, such as abc, midi or musicxml.", metavar="FORMAT", panel=OUTPUT)
    force: bool = option(False, "Overwrite existing files.", panel=OUTPUT, recorded=False)
    resume: bool = option(False, "Generate the missing pieces of an interrupted run.", panel=OUTPUT, recorded=False)
    writing: WriteSettings = option(WriteSettings(), panel=OUTPUT)
    provenance: bool = option(True, "Omit provenance metadata.", panel=OUTPUT, recorded=False)
    play: bool = option(False, "Play the music.", panel=OUTPUT, recorded=False)
    port: str | None = option(
        None, "Play through this MIDI port; part of its name is enough.", metavar="NAME", panel=OUTPUT, recorded=False
    )
    checkpoint: Path | None = option(
        None, "Model name or file. [default: the one set by `composer models use`, else the bundled one]", "-c",
        metavar="NAME", panel=MODEL, recorded=False,
    )  # fmt: skip
    device: str = option("auto", "Device: auto, cpu, cuda or mps.", metavar="DEVICE", panel=MODEL, recorded=False)
    batch_size: int = option(0, "Batch size; 0 = automatic.", metavar="N", panel=MODEL, minimum=0, maximum=4096)
    quiet: bool = option(False, "Print only warnings and errors.", "-q", "--quiet", recorded=False)
    controls: Any = field(default=None, metadata={"internal": True})
    context: RecordedContext | None = field(default=None, metadata={"internal": True, "recorded": False})

    def __post_init__(self) -> None:
        check_ranges(self)
        candidates, reason = self.selection.candidates or 0, "cannot be used together"
        if self.selection.chosen and self.count != 1:
            hint = f"use --candidates {max(candidates, 2 * self.count)} --keep {self.count} without --count"
            message = f"--count and --candidates {reason}: --keep sets how many are written"
            raise UsageError(message, hint, flags=("--count", "--candidates"))
        if self.selection.chosen and self.resume:
            raise UsageError(
                f"--resume and --candidates {reason}", "leave out --resume", flags=("--resume", "--candidates")
            )
        self._check_choose()
        if self.port is not None and not self.play:
            raise UsageError("--port needs --play", f"add --play, or leave out --port {self.port}", flags=("--port",))
        if self.prime is not None and self.prime_text is not None:
            raise UsageError("--prime and --prime-text cannot be used together", "leave out one of them")

    def _check_choose(self) -> None:
        """Raise UsageError for options that --choose does not work with."""
        others = {
            "--count": self.count != 1, "--candidates": self.selection.candidates is not None,
            "--max-copy": self.max_copy is not None, "--resume": self.resume,
            "--ending-tries": self.ending_tries not in {None, 1},
            f"--temp {self.sampling.temperature}": self.sampling.ramp is not None,
        }  # fmt: skip
        if self.choose is not None and (given := next((flag for flag, is_given in others.items() if is_given), "")):
            raise UsageError(
                f"--choose and {given} cannot be used together",
                "leave out one of them",
                flags=("--choose", given.partition(" ")[0]),
            )

    @property
    def model_settings(self) -> Mapping[str, Any]:
        """The settings of the model that these options change."""
        return {name: value for name in ("gibbs", "gibbs_from") if (value := getattr(self, name)) is not None}

    @property
    def written(self) -> int:
        """How many pieces are written."""
        return self.selection.best if self.selection.chosen else self.count

    @property
    def generated(self) -> int:
        """How many pieces are generated."""
        return (self.selection.candidates or 1) if self.selection.chosen else self.count
