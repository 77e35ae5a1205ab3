"""Fields of option dataclasses: flags, and checks of ranges."""

from dataclasses import dataclass, fields, make_dataclass

import pytest

from composer.api import OptionError
from composer.api.fields import check_choices, check_ranges, choice, flags_of, name_on_command_line, option


@dataclass(frozen=True)
class Options:
    file: str = option(help="A file.", argument="FILE")
    batch_size: int = option(1, "Size.", "-b", minimum=1, maximum=8)
    rate: float | None = option(None, "Rate.", "--lr", minimum=0.0, maximum=1.0, hint="give a small one")
    header: bool = option(True, "Leave out the header.")

    def __post_init__(self):
        check_ranges(self)


def test_flags():
    assert [flags_of(field) for field in fields(Options)[1:]] == [("--batch-size", "-b"), ("--lr",), ("--no-header",)]
    assert [name_on_command_line(field) for field in fields(Options)[:2]] == ["FILE", "--batch-size"]


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ({"batch_size": 0}, "invalid value for --batch-size: '0'", "use a whole number from 1 to 8"),
        ({"batch_size": 9}, "invalid value for --batch-size: '9'", "1 to 8"),
        ({"rate": float("nan")}, "invalid value for --lr: 'nan'", "give a small one"),
    ],
)
def test_values_out_of_range(values, message, hint):
    with pytest.raises(OptionError) as caught:
        Options("a", **values)
    assert caught.value.message == message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("limits", "valid", "invalid", "hint"),
    [
        ({"minimum": 0}, (0, 2**70), -1, "use a whole number, 0 or more"),
        ({"maximum": 20_000}, (-5, 20_000), 20_001, "use a whole number, 20,000 or less"),
        ({"minimum": 1, "maximum": 10**6}, (1, 10**6), 0, "use a whole number from 1 to 1,000,000"),
        ({"minimum": 1, "maximum": 2**63}, (1, 2**63), 0, "use a whole number, 1 or more"),
        ({"minimum": 0.0, "maximum": 1e6}, (0.0, 1e6), 1e7, "use a number from 0 to 1,000,000"),
    ],
)
def test_ranges_may_have_one_end(limits, valid, invalid, hint):
    made = make_dataclass("Made", [("count", float, option(1, "Count.", **limits))])
    for value in valid:
        check_ranges(made(value))
    with pytest.raises(OptionError, match="invalid value for --count") as caught:
        check_ranges(made(invalid))
    assert caught.value.hint == hint


def test_values_in_range():
    assert Options("a", 8, 0.5).rate == 0.5
    assert Options("a").rate is None


def test_a_range_of_an_option_is_named_as_it_is_typed():
    @dataclass(frozen=True)
    class Transposing:
        semitones: int = option(3, "largest transposition", minimum=0, maximum=12)

        def __post_init__(self):
            check_ranges(self, "-O")

    with pytest.raises(OptionError, match=r"^invalid value for `semitones`: '99'$") as caught:
        Transposing(99)
    assert caught.value.hint == "use a whole number from 0 to 12, such as -O semitones=3"


def test_values_that_are_none_of_the_choices():
    @dataclass(frozen=True)
    class Cooking:
        egg_style: str = choice(("soft", "hard"), "How long to boil.")
        pan: str = option("", "Which pan.", choices=("small", "large"))

        def __post_init__(self):
            check_choices(self)

    assert (Cooking().egg_style, Cooking("hard", "another").egg_style) == ("", "hard")
    with pytest.raises(OptionError, match=r"^invalid value for --egg-style: 'raw'$") as caught:
        Cooking("raw")
    assert caught.value.hint == "use --egg-style soft, or --egg-style hard"
