"""The controls of the abc representation: what a player can ask of a tune."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from composer.api import OptionError, Unsatisfiable
from composer.api.errors import suggest
from composer.api.fields import at_least_one, check_ranges, option

if TYPE_CHECKING:
    from composer.formats.abc.grammar.controls import TuneControls
    from composer.music.scales import Scale

MAX_BARS = 500


def _choices(name: str) -> Callable[[], Iterable[str]]:
    """Return what returns the values of a control that have no spaces; the tables are read only for completion."""

    def choices() -> Iterable[str]:
        from composer.formats.abc.dialect.tables import METERS, RHYTHMS
        from composer.formats.abc.grammar.controls import OWN_KEY
        from composer.music.keys import MODES, key_names
        from composer.music.scales import SCALES

        scales = [OWN_KEY, *(scale for scale in SCALES if " " not in scale)]
        rhythms = [rhythm.replace(" ", "-") for rhythm in RHYTHMS]
        return {"key": key_names(), "mode": MODES, "meter": METERS, "rhythm": rhythms, "scale": scales}[name]

    return choices


@dataclass(frozen=True, slots=True)
class AbcControls:
    """Controls as the player gives them; empty ones are free. Raises OptionError for invalid values."""

    key: str = option("", "Key, such as G, Am or Ddor.", choices=_choices("key"))
    mode: str = option(
        "", "Mode: major, minor, dorian, mixolydian, phrygian, lydian or locrian.", choices=_choices("mode")
    )
    meter: str = option("", "Meter, such as 6/8.", choices=_choices("meter"))
    rhythm: str = option(
        "", "Dance type, such as reel, jig, hornpipe or waltz, in one of its usual meters.",
        metavar="DANCE", choices=_choices("rhythm"),
    )  # fmt: skip
    bars: int = option(
        0,
        "Number of written bars. Repeats count once; a pickup and a short last bar together count as one. "
        "[default: any]",
        metavar="N", parse=at_least_one("--bars"),
        minimum=0, maximum=MAX_BARS, hint=f"use 1 to {MAX_BARS:,}, or leave out --bars",
    )  # fmt: skip
    range: str = option("", "Lowest and highest note, such as D4-B5 or 62-83.", metavar="LOW-HIGH")
    scale: str = option(
        "",
        "Allowed notes: own for those of the key, a scale on its tonic, such as blues, or a scale on another note, "
        "such as 'D blues'.",
        choices=_choices("scale"),
    )
    repeat_limit: int | None = option(
        None,
        "Maximum number of times in a row that a passage of 1 to 8 written bars may occur. [default: 2]",
        metavar="N", minimum=1, maximum=1000, hint="use 1 to 1,000; traditional tunes have 2",
    )  # fmt: skip
    keep_bars: str = option(
        "",
        "Infill: keep these bars of --prime, such as 1-4,7, and generate the others. `composer show` prints their "
        "numbers. Other controls apply to all bars.",
        metavar="BARS",
    )

    def __post_init__(self) -> None:
        check_ranges(self)
        if any(astuple(self)):
            from composer.music.bar_ranges import parse_bar_ranges

            self.tune_controls()
            if self.keep_bars:
                parse_bar_ranges(self.keep_bars)

    def tune_controls(self) -> TuneControls:
        """Return the controls in the form that the automaton enforces."""
        from composer.formats.abc.grammar.controls import TuneControls
        from composer.music.scales import parse_range

        names = ("key", "mode", "meter", "rhythm", "bars", "range", "scale")
        return TuneControls(
            key=_key(self.key, self.mode) if self.key else "",
            mode=_mode(self.mode) if self.mode else "",
            meter=_meter(self.meter) if self.meter else "",
            rhythm=_rhythm(self.rhythm) if self.rhythm else "",
            bars=self.bars,
            range=parse_range(self.range) if self.range else None,
            scale=_scale(self.scale) if self.scale else "",
            arguments={name: str(value) for name in names if (value := getattr(self, name))},
        )

    def labels(self) -> Mapping[str, str]:
        """Return the labels of all tunes that satisfy these controls."""
        if not any(astuple(self)):  # without controls, keys and scales need not be loaded
            return {}
        from composer.music.keys import parse_key

        controls = self.tune_controls()
        key = parse_key(controls.key) if controls.key else None
        mode = controls.mode or (key.mode if key else "")
        labels = {"rhythm": controls.rhythm, "meter": controls.meter, "key": controls.key, "mode": mode}
        return {name: label for name, label in labels.items() if label}


def _key(text: str, mode: str) -> str:
    """Return the key in ABC's shortest spelling; a tonic alone takes its mode from `mode`."""
    from composer.music.keys import parse_key, pitch_class
    from composer.music.scales import parse_scale

    alone = mode and re.fullmatch(r"\s*[A-Ga-g][#b]?\s*", text)
    scale = parse_scale(f"{text.strip()} {_mode(mode)}") if alone else parse_scale("", text)
    if scale is None:  # there are only spaces
        raise OptionError(f"unknown key '{text}'", "write it as in ABC: G, Am, Bb, F#m, Ddor, Amix")
    key = parse_key(str(scale))
    if key is None:
        tonics = (letter + sign for letter in "CDEFGAB" for sign in ("", "#", "b"))
        same = (each for each in tonics if pitch_class(each) == pitch_class(scale.tonic))
        other = next(each for each in same if parse_key(f"{each} {scale.name}"))
        raise OptionError(
            f"--key {text} --mode {mode} have more than seven sharps or flats",
            f"use --key {other}",
            flags=("--key", "--mode"),
        )
    return key.name


def _mode(text: str) -> str:
    from composer.music.keys import MODES
    from composer.music.scales import parse_scale

    try:
        scale = parse_scale(text, "C")
    except (OptionError, Unsatisfiable):
        scale = None
    if scale is None or scale.name not in MODES:
        raise OptionError(f"unknown mode '{text}'", f"choose from {', '.join(MODES)}; --scale has other scales")
    return scale.name


def _meter(text: str) -> str:
    from composer.formats.abc.dialect.tables import METERS
    from composer.music.keys import parse_meter

    time = parse_meter(text)
    name = str(time) if time is not None and not time.free else text
    if name not in METERS:
        raise OptionError(f"unknown meter '{text}'", "choose from " + ", ".join(METERS))
    return name


def _rhythm(text: str) -> str:
    from composer.formats.abc.dialect.tables import RHYTHMS, rhythm_of

    name = " ".join(text.lower().replace("-", " ").split())
    if name in RHYTHMS:
        return name
    if found := rhythm_of(name, ""):
        return found
    raise OptionError(f"unknown rhythm '{text}'", suggest(name, RHYTHMS))


def no_controls(given: AbcControls) -> Unsatisfiable:
    """Return the error for a model of raw text, which has no controls, by the first that is `given`."""
    unset = AbcControls()
    name = next(each.name for each in fields(given) if getattr(given, each.name) != getattr(unset, each.name))
    hint = "leave out the controls, or use a model trained with -O text=dialect"
    return Unsatisfiable("a model of raw text has no controls", hint, flags=(f"--{name.replace('_', '-')}",))


def _scale(text: str) -> str | Scale:
    """Return OWN_KEY, the name of a scale without a tonic, or a scale with one."""
    from composer.formats.abc.grammar.controls import OWN_KEY
    from composer.music.scales import parse_scale

    if text.strip().lower() == OWN_KEY:
        return OWN_KEY
    try:
        scale = parse_scale(text)
    except OptionError:
        relative = parse_scale(text, "C")
        assert relative is not None
        return relative.name
    assert scale is not None
    return scale
