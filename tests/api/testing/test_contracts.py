"""Contract tests accept the documented example and catch broken plugins."""

import dataclasses
import inspect
import textwrap

import numpy as np
import pytest
import torch

from composer import api
from composer.api import representation as module
from composer.api.fields import check_ranges, option
from composer.api.testing import check_model, check_representation, source
from composer.system import threads
from composer_lstm import Lstm
from composer_lstm.network import LstmNetwork
from composer_lstm.sampler import LstmSampler

SOURCES = [source("one two", "1.txt"), source("three", "2.txt")]


def documented_class():
    """Return the class in the docstring of composer.api.representation."""
    text = inspect.getdoc(module)
    code = textwrap.dedent(text[text.index("    class Letters") : text.rindex("A plugin module")])
    names = {name: getattr(api, name) for name in api.__all__}
    exec(code, names)
    return names["Letters"]


def test_documented_representation_passes():
    check_representation(documented_class(), SOURCES)


def broken_class(**methods):
    return type("Broken", (documented_class(),), methods)


class Notes:
    """A decoder that returns notes."""

    def push(self, step):
        return (api.Note(0, 60, 1),)

    def finish(self):
        return ()


class Shared:
    """A decoder that all pieces share."""

    def __init__(self):
        self.letters = []

    def push(self, step):
        self.letters.append(str(step))
        return ()

    def finish(self):
        text, self.letters = "".join(self.letters), []
        return (text,)


shared = Shared()


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"api": 99}, "it needs API version 99"),
        ({"encode": lambda self, piece: self.prime(piece)}, "do not end with the end symbol"),
        (
            {"encode": lambda self, piece: [0, *self.prime(piece), 0]},
            "1.txt: .* failed in encode: the end symbol 0 comes before the end, at step 0",
        ),
        ({"prime": lambda self, piece: [99]}, "is not from 0"),
        (
            {"decode": lambda self, steps: api.Piece("other")},
            "1.txt: changed by encode, decode, encode: step 2 was 4 and is 7",
        ),
        (
            {"restore": lambda self, state: setattr(self, "letters", state["letters"][::-1])},
            "1.txt: `restore` changes its encoding from step 1 on",
        ),
        ({"positional": True}, "`positional` is True, but the spec has no position features"),
        ({"summary": "two\nlines"}, "`summary` of Broken must be one line"),
        ({"state": lambda self: {"letters": {1, 2}}}, "failed in state: the state is not JSON"),
        ({"formats": ("text", "midi")}, "no piece has a score with notes or chords, so nothing can be written as midi"),
        ({"formats": ("text", "mp3")}, "`mp3` is neither `native` nor a format that scores are written in: abc, midi"),
        ({"encode_packed": lambda self, piece: b"1"}, "1.txt: `encode_packed` differs from `encode`"),
        ({"decoder": lambda self, number=1: shared}, "1.txt: its decoder returned other text while others were in use"),
        ({"read": lambda self, source: iter([api.RejectedPiece("no notes", source.name)])}, "no notes"),
        (
            {"score": lambda self, piece: api.Score((), title="".join(getattr(self, "letters", ())))},
            "1.txt: `score` depends on `fit`, but training calls it before",
        ),
        ({"decoder": lambda self, number=1: Notes()}, "must return text if `native` is set, not Note"),
    ],
)
def test_broken_representations_fail(methods, message):
    with pytest.raises(AssertionError, match=message):
        check_representation(broken_class(**methods), SOURCES)


@dataclasses.dataclass(frozen=True)
class Unchecked:
    """Options whose ranges nothing checks."""

    count: int = option(2, "Number of letters.", minimum=1, maximum=9)


@dataclasses.dataclass(frozen=True)
class Checked(Unchecked):
    """Options whose ranges are checked."""

    def __post_init__(self):
        check_ranges(self)


@pytest.mark.parametrize("name", ["Options", "Controls"])
def test_options_must_check_their_ranges(name):
    with pytest.raises(AssertionError, match=f"`{name}` accepts count=0, which is out of the range of the field"):
        check_representation(broken_class(**{name: Unchecked}), SOURCES)
    check_representation(broken_class(**{name: Checked}), SOURCES)


def test_settings_must_check_their_ranges():
    with pytest.raises(AssertionError, match="`Config` accepts count=0"):
        check_model(type("Broken", (Lstm,), {"Config": Unchecked}))


def test_decode_must_not_raise():
    def decode(self, steps):
        steps = list(steps)
        return api.Piece("".join(self.letters[step - 1] for step in steps[: steps.index(0)]))

    with pytest.raises(
        AssertionError, match=r"a piece without steps: .* failed in decode: ValueError: 0 is not in list"
    ):
        check_representation(broken_class(decode=decode), SOURCES)


class Faulty(Lstm):
    """An LSTM with some methods of its network replaced."""

    def network(self, spec, config):
        return type("FaultyNetwork", (LstmNetwork,), self.methods)(spec, config)


def without_state(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, self.initial_layer_states(len(inputs)), reset, conditions)


def without_resets(self, inputs, state, reset, conditions):
    return LstmNetwork.forward(self, inputs, state, None, conditions)


def biased_in_evaluation(self, inputs, state, reset, conditions):
    logits, state = LstmNetwork.forward(self, inputs, state, reset, conditions)
    return (logits if self.training else logits + torch.arange(logits.shape[-1]) * 0.01), state


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (
            without_state,
            r"differs from that of one long window: from step 9 on, where they are .* apart; the tolerance",
        ),
        (without_resets, r"a reset does not clear the state: from step 9 on, where they are"),
        (biased_in_evaluation, r"network and sampler differ in probability at step 2 in row \d: .*, .* apart; the tol"),
    ],
)
def test_broken_models_fail(forward, message):
    Faulty.methods = {"forward": forward}
    with pytest.raises(AssertionError, match=message):
        check_model(Faulty, hidden=8, embedding=4)


def run_one_step_late(self, state, params, rng, steps):
    rng = dataclasses.replace(rng, first=rng.first + 1)
    return LstmNetwork.run(self, state, params, rng, steps)


def run_without_state(self, state, params, rng, steps):
    return LstmNetwork.run(self, state, params, rng, steps)[0], state


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (
            run_one_step_late,
            r"with the defaults: `run` returned other steps than step-by-step sampling: in row 0 at step 3,",
        ),
        (
            run_without_state,
            r"the state after `run` differs from the state after its steps: row \d then drew \d+ instead of",
        ),
    ],
)
def test_broken_block_samplers_fail(run, message):
    Faulty.methods = {"run": run}
    with pytest.raises(AssertionError, match=message):
        check_model(Faulty, hidden=8, embedding=4)


class FaultySampler(Lstm):
    """An LSTM with some methods of its numpy sampler replaced."""

    def sampler(self, spec, config, weights):
        return type("Replaced", (LstmSampler,), self.methods)(spec, config, weights)


def rows_in_order(self, state, rows, other=None):
    """Ignore which rows are asked for, unless they come from two states."""
    return LstmSampler.gather_rows(self, state, rows if other else np.arange(len(rows)), *([other] if other else []))


def all_active(self, state, steps, active=None, features=None):
    return LstmSampler.advance(self, state, steps, None, features)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"gather_rows": rows_in_order}, r"a row's steps depend on its position or on other rows: row \d of 3 drew "),
        (
            {"advance": all_active},
            r"`advance` while it was not active changed the state of a row: it drew .* before, and ",
        ),
        ({"logits": lambda self, parts: LstmSampler.logits(self, parts) * np.nan}, r"the probability of a step is NaN"),
        (
            {"logits": lambda self, parts: LstmSampler.logits(self, parts) + 0.1},
            r"differ in probability at step \d in row",
        ),
    ],
)
def test_broken_samplers_fail(methods, message):
    FaultySampler.methods = methods
    with pytest.raises(AssertionError, match=message):
        check_model(FaultySampler, hidden=8, embedding=4)


def printing(self, inputs, state, reset, conditions):
    print("step")
    return LstmNetwork.forward(self, inputs, state, reset, conditions)


def seeding(self, inputs, state, reset, conditions):
    torch.manual_seed(0)
    return LstmNetwork.forward(self, inputs, state, reset, conditions)


def not_causal(self, inputs, state, reset, conditions):
    logits, state = LstmNetwork.forward(self, inputs, state, reset, conditions)
    return logits + logits.mean(1, keepdim=True), state


def never_a_number(self, inputs, state, reset, conditions):
    logits, state = LstmNetwork.forward(self, inputs, state, reset, conditions)
    return logits * torch.nan, state


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (printing, r"it printed 'step.*' to stdout"),
        (seeding, r"`evaluate` changed the global random state of torch: use neither"),
        (not_causal, r"; likely causes: a step depends on later ones, or the state that is returned is not the one"),
        (never_a_number, r"the logits are NaN or infinite: the loss is nan before training in phase `train`"),
    ],
)
def test_causes_of_faults_in_networks_are_named(forward, message):
    Faulty.methods = {"forward": forward}
    with pytest.raises(AssertionError, match=message):
        check_model(Faulty, hidden=8, embedding=4)


def test_sampling_must_keep_the_random_state_of_torch():
    def sample(self, state, params, rng):
        torch.manual_seed(0)
        return LstmSampler.sample(self, state, params, rng)

    FaultySampler.methods = {"sample": sample}
    with pytest.raises(AssertionError, match="`sample` or `gather_rows` changed the global random state of torch"):
        check_model(FaultySampler, hidden=8, embedding=4)


def step_in_self(self, parts, steps, features=None):
    """Keep the state in the sampler, taken anew only when the number of rows changes."""
    if self.kept is None or len(self.kept[0]) != len(parts[0]):
        self.kept = [part.copy() for part in parts]
    LstmSampler.step(self, self.kept, steps, features)
    parts[:] = [part.copy() for part in self.kept]


def layers_in_order(self, state, rows, fresh=None):
    """Gather what the next step is drawn from, but not what later ones are."""
    gathered = LstmSampler.gather_rows(self, state, rows, fresh)
    if fresh is None:
        shown = self.logits(gathered)
        gathered = [part.copy() for part in state]
        self.overridden = (gathered, shown)
    return gathered


def logits_of_gathered(self, parts):
    found, shown = self.overridden
    return shown if found is parts else LstmSampler.logits(self, parts)


def overriding_step(self, parts, steps, features=None):
    self.overridden = (None, None)
    LstmSampler.step(self, parts, steps, features)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        (
            {"step": step_in_self, "kept": None},
            r"two states with as many rows are not independent: row \d of the first",
        ),
        (
            {
                "gather_rows": layers_in_order,
                "logits": logits_of_gathered,
                "step": overriding_step,
                "overridden": (None, None),
            },
            r"`gather_rows` does not exchange all that rows depend on: a step later, row \d drew .* keep nothing that",
        ),
    ],
)
def test_states_must_hold_all_that_a_step_changes(methods, message):
    FaultySampler.methods = methods
    with pytest.raises(AssertionError, match=message):
        check_model(FaultySampler, hidden=8, embedding=4)


def test_threads_are_limited_during_the_test_only(monkeypatch):
    for name in {*threads.VARIABLES, *threads.TORCH_VARIABLES}:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "idle_cores", lambda: 3)
    library, seen = threads._openblas(), []

    class Watched(Lstm):
        accepts, conditional, positional = frozenset({api.StepKind.TOKENS}), False, False

        def network(self, spec, config):
            seen.append((torch.get_num_threads(), library.get() if library else 3))
            return super().network(spec, config)

    before = torch.get_num_threads(), library.get() if library else 3
    check_model(Watched, hidden=8, embedding=4)
    assert set(seen) == {(3, 3)}
    assert (torch.get_num_threads(), library.get() if library else 3) == before
