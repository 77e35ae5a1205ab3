"""`key=value` by the types of a dataclass, and what is said of a bad one."""

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import OptionError
from composer.registry import options


@dataclass(frozen=True)
class Options:
    text: Literal["dialect", "raw"] = "dialect"
    steps: int = 4
    share: float = 0.5
    onsets: bool = True
    parts: tuple[str, ...] = ()
    column: str | None = None
    sizes: tuple[int, ...] = ()


def test_values_by_type():
    pairs = ["text=raw", "steps=8", "share=.25", "onsets=no", "parts=left,right", "column=lyric"]
    assert options.parse(Options, pairs, "it") == Options("raw", 8, 0.25, False, ("left", "right"), "lyric")
    assert options.parse(Options, ["column=none"], "it") == Options()


@pytest.mark.parametrize(
    ("pair", "message", "hint"),
    [
        ("steps", "invalid value for --set: 'steps'", "use KEY=VALUE, such as --set steps=4"),
        ("step=4", "it has no option 'step'", "did you mean `steps`?"),
        ("zzz=4", "it has no option 'zzz'", "text, steps"),
        ("steps=four", "invalid value for `steps`: 'four'", "use a whole number, such as --set steps=4"),
        ("share=x", "invalid value for `share`: 'x'", "a number"),
        ("onsets=perhaps", "invalid value for `onsets`: 'perhaps'", "on or off"),
        ("sizes=[1024,512, 128]", "invalid value for `sizes`: '[1024,512, 128]'", "use 1024,512,128, with commas only"),
        ("text=row", "invalid value for `text`: 'row'", "did you mean `raw`?"),
    ],
)
def test_a_bad_pair_is_named_and_the_way_out_too(pair, message, hint):
    with pytest.raises(OptionError) as caught:
        options.parse(Options, [pair], "it")
    assert message in caught.value.message
    assert hint in caught.value.hint


@given(st.integers(-(2**63), 2**63 - 1), st.booleans(), st.lists(st.text("ab", min_size=1)))
def test_what_a_checkpoint_stores_comes_back(steps, onsets, parts):
    value = Options(steps=steps, onsets=onsets, parts=tuple(parts))
    stored = {"steps": steps, "onsets": onsets, "parts": parts}
    assert options.restore(Options, stored, "it") == value


def test_an_option_that_is_no_more_is_named():
    with pytest.raises(OptionError, match="no option `gone`"):
        options.restore(Options, {"gone": 1}, "it")
