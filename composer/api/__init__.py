"""Plugin interface: stable, versioned by `API_VERSION`, and light (no numpy, no torch).

Import heavier modules by name: `composer.api.sampling` (numpy), `composer.api.network` (torch), `composer.api.testing`,
and the building blocks in `composer.toolkit`.
"""

from composer.api.constraint import Constraint, FrameRule, Limit, Mask
from composer.api.decoder import Decoder, Event, TextDecoder
from composer.api.errors import (
    CheckpointError,
    ComposerError,
    DeviceError,
    EncodeError,
    OptionError,
    PairingError,
    PluginError,
    ReadError,
    Unsatisfiable,
    Unsupported,
    UsageError,
)
from composer.api.hooks import API_VERSION, hookimpl
from composer.api.model import DataSize, Model
from composer.api.representation import GenerationContext, NoOptions, Representation
from composer.api.sampler import Sampler
from composer.api.score import (
    BarNumber,
    ChordSymbol,
    Key,
    Meter,
    Notation,
    Note,
    Part,
    Piece,
    RejectedPiece,
    Score,
    Section,
    Tempo,
    TempoUnit,
    VoiceNotation,
    WrittenBar,
)
from composer.api.sequence import SequenceSpec, Step, StepKind, UnitGroup
from composer.api.source import Source

__all__ = [
    "API_VERSION",
    "BarNumber",
    "CheckpointError",
    "ChordSymbol",
    "ComposerError",
    "Constraint",
    "DataSize",
    "Decoder",
    "DeviceError",
    "EncodeError",
    "Event",
    "FrameRule",
    "GenerationContext",
    "Key",
    "Limit",
    "Mask",
    "Meter",
    "Model",
    "NoOptions",
    "Notation",
    "Note",
    "OptionError",
    "PairingError",
    "Part",
    "Piece",
    "PluginError",
    "ReadError",
    "RejectedPiece",
    "Representation",
    "Sampler",
    "Score",
    "Section",
    "SequenceSpec",
    "Source",
    "Step",
    "StepKind",
    "Tempo",
    "TempoUnit",
    "TextDecoder",
    "UnitGroup",
    "Unsatisfiable",
    "Unsupported",
    "UsageError",
    "VoiceNotation",
    "WrittenBar",
    "hookimpl",
]
