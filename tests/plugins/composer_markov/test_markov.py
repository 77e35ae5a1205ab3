"""The markov plugin: contract, smoothing, and counts that do not depend on how the data is cut into windows."""

import numpy as np
import pytest
import torch

from composer.api import OptionError, SequenceSpec, StepKind
from composer.api.network import Batch
from composer.api.testing import check_model
from composer_markov import Markov, MarkovConfig
from composer_markov.token_tables import TokenTables, ngram_numbers

END, A, B = 0, 1, 2
TOKENS = SequenceSpec(StepKind.TOKENS, size=3, end=END)
FRAMES = SequenceSpec(StepKind.FRAMES, size=2)


def batch_of(targets, reset=(0,)):
    """Return one row with pieces that begin at `reset`."""
    targets = torch.as_tensor(targets)[None]
    inputs = torch.cat([torch.zeros_like(targets[:, :1]), targets[:, :-1]], 1)
    begins = torch.zeros(targets.shape[:2], dtype=torch.bool)
    begins[:, list(reset)] = True
    inputs[begins] = 0
    return Batch(inputs, targets, torch.ones(targets.shape[:2]), begins)


def counted(batch, spec=TOKENS, order=1):
    network = Markov().network(spec, MarkovConfig(order=order))
    network.train()
    network.loss(batch, None)
    return network.eval()


def sampler_of(network):
    weights = {name: each.numpy().copy() for name, each in network.state_dict().items()}
    return Markov().sampler(network.spec, network.config, weights)


@pytest.mark.parametrize("order", [0, 1, 4])
def test_contract(order):
    check_model(Markov, order=order)


def test_order_0_has_smoothed_frequencies():
    sampler = sampler_of(counted(batch_of([A, A, B, A, END]), order=0))
    state = sampler.initial_state([{}] * 3)
    found = np.exp(sampler.log_prob(state, np.array([END, A, B])))
    assert found == pytest.approx([(1 + 1) / 8, (3 + 1) / 8, (1 + 1) / 8])  # 5 tokens, 3 kinds: (n + 3 / 3) / (5 + 3)


def test_a_context_is_mixed_with_the_shorter_one():
    sampler = sampler_of(counted(batch_of([A, B, A, B, A, A, END]), order=1))
    state = sampler.advance(sampler.initial_state([{}]), np.array([B]))
    unigram = (4 + 3 / 3) / (7 + 3)
    assert np.exp(sampler.log_prob(state, np.array([A])))[0] == pytest.approx((2 + 1 * unigram) / (2 + 1))


def test_unseen_contexts_fall_back_on_shorter_ones():
    contexts, tokens, counts = np.array([[A, B], [B, A]]), np.array([A, END]), np.array([3, 1])
    tables = TokenTables(3, 2, ngram_numbers(contexts, tokens, 3), counts)
    shorter = TokenTables(3, 1, ngram_numbers(contexts[:, 1:], tokens, 3), counts)
    for unseen in ([END, B], [-1, B]):  # one that was never counted, and one that is not known
        after = np.array([unseen])
        assert tables.log_probs(after) == pytest.approx(shorter.log_probs(after[:, 1:]))
        assert tables.nll(after, np.array([A])) == pytest.approx(-shorter.log_probs(after[:, 1:])[:, A])


def test_frames_are_chains_of_single_units():
    on_and_off = [[1, 0], [0, 0], [1, 0], [0, 0], [1, 0]]
    network = counted(batch_of(torch.tensor(on_and_off, dtype=torch.float32)), FRAMES, order=1)
    sampler = sampler_of(network)
    state = sampler.advance(sampler.initial_state([{}]), np.array([[1, 0]]))
    units = 1 / (1 + np.exp(-sampler.logits(state)[0]))
    often = (3 + 2 / 2) / (5 + 2)  # on in 3 of 5 frames
    assert units[0] == pytest.approx((0 + 1 * often) / (2 + 1))  # off after on, twice
    never = 0.5 / (5 + 1)
    assert units[1] == pytest.approx(never / (5 + 1))


@pytest.mark.parametrize("spec", [TOKENS, FRAMES], ids=["tokens", "frames"])
def test_counts_do_not_depend_on_windows(spec):
    steps = np.random.default_rng(0).integers(0, 3 if spec is TOKENS else 2, (40, *(() if spec is TOKENS else (2,))))
    batch = batch_of(steps if spec is TOKENS else steps.astype(np.float32), reset=(0, 15))
    whole = counted(batch, spec, order=3).state_dict()
    network, state = Markov().network(spec, MarkovConfig(order=3)).train(), None
    for start in range(0, 40, 7):
        _, state = network.loss(batch.slice_time(start, min(start + 7, 40)), state)
    assert all(torch.equal(whole[name], each) for name, each in network.state_dict().items())


def test_a_row_that_begins_within_a_piece_counts_only_known_contexts():
    middle = batch_of([A, B, A, B], reset=())
    assert int(counted(middle, order=0).counts.sum()) == 4
    assert int(counted(middle, order=2).counts.sum()) == 3


def test_training_again_adds_to_the_counts():
    batch = batch_of([A, B, END])
    once = counted(batch, order=1)
    again = Markov().network(TOKENS, MarkovConfig(order=1))
    again.load_state_dict(once.state_dict())
    again.train()
    again.loss(batch, None)
    assert torch.equal(again.state_dict()["counts"], 2 * once.counts)


@pytest.mark.parametrize(
    "weights",
    [
        {"ngrams": np.array([27]), "counts": np.array([1])},  # two tokens after another, not three
        {"ngrams": np.array([1]), "counts": np.array([0])},
        {"ngrams": np.array([1]), "counts": np.array([1, 1])},
    ],
)
def test_damaged_counts_are_rejected(weights):
    with pytest.raises(ValueError, match="count"):
        Markov().sampler(TOKENS, MarkovConfig(order=1), weights)


def test_orders_that_are_too_high():
    with pytest.raises(OptionError, match="invalid value for `order`: '17'"):
        MarkovConfig(order=17)
    with pytest.raises(OptionError, match="too high for frames"):
        Markov().check(StepKind.FRAMES, MarkovConfig(order=11))
    with pytest.raises(OptionError, match="a vocabulary of 97") as caught:
        Markov().network(SequenceSpec(StepKind.TOKENS, 97, 0), MarkovConfig(order=12))
    assert "order=8" in caught.value.hint
