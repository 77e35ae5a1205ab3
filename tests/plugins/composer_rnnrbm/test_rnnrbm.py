"""The rnnrbm plugin: contract, equations, and agreement of network and sampler."""

import numpy as np
import pytest
import torch

from composer.api import FrameRule, Limit, OptionError, SequenceSpec, StepKind, Unsupported
from composer.api.network import Batch
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.api.testing import check_model
from composer_rnnrbm import RnnRbm, RnnRbmConfig, network

SPEC = SequenceSpec(StepKind.FRAMES, size=12)
CELLS = pytest.mark.parametrize("cell", ["tanh", "lstm"])


def make(spec=SPEC, *, spread=0.5, **settings):
    """Return a network with random weights far from zero."""
    torch.manual_seed(0)
    rnnrbm = RnnRbm().network(spec, RnnRbmConfig(**{"hidden": 10, "recurrent": 7, **settings}))
    for parameter in rnnrbm.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return rnnrbm.half().float().eval()


def make_sampler(rnnrbm):
    weights = {name: tensor.numpy().copy() for name, tensor in rnnrbm.state_dict().items()}
    return RnnRbm().sampler(rnnrbm.spec, rnnrbm.config, weights)


def frames(*shape, share=0.3):
    return (np.random.default_rng(1).random(shape) < share).astype(np.float32)


def make_batch(targets, begins=(0,)):
    targets = torch.as_tensor(targets)
    inputs = torch.cat([torch.zeros_like(targets[:, :1]), targets[:, :-1]], 1)
    reset = torch.zeros(targets.shape[:2], dtype=torch.bool)
    reset[:, list(begins)] = True
    return Batch(inputs, targets, torch.ones(targets.shape[:2]), reset)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": 8},  # exact partition function
        {"hidden": 14},  # estimated partition function
        {"hidden": 8, "cell": "lstm"},
        {"hidden": 8, "gibbs_from": "zeros"},
        {"hidden": 8, "pretraining": 0},
        {"hidden": 8, "dropout": 0.5},
    ],
)
def test_contract(settings):
    check_model(RnnRbm, recurrent=6, **settings)


@pytest.mark.parametrize("name", ["hidden", "recurrent", "k", "gibbs"])
def test_numbers_must_be_positive(name):
    with pytest.raises(OptionError, match=f"invalid value for `{name}`: '0'"):
        RnnRbmConfig(**{name: 0})


@pytest.mark.parametrize("settings", [{"pretraining": -1}, {"pretraining_lr": 0.0}, {"cell": "gru"}, {"dropout": 1.0}])
def test_invalid_settings(settings):
    with pytest.raises(OptionError, match=next(iter(settings))):
        RnnRbmConfig(**settings)


@CELLS
def test_biases_depend_only_on_earlier_frames(cell):
    rnnrbm, roll = make(cell=cell), frames(1, 10, 12)
    changed = roll.copy()
    changed[0, 6] = 1 - changed[0, 6]
    (bv, bh, _), (bv2, bh2, _) = (
        rnnrbm.biases(batch.inputs, None, batch.reset) for batch in (make_batch(roll), make_batch(changed))
    )
    assert torch.equal(bv[:, :7], bv2[:, :7])
    assert torch.equal(bh[:, :7], bh2[:, :7])
    assert (bv[:, 7] != bv2[:, 7]).all()
    assert (bh[:, 7] != bh2[:, 7]).all()


def test_biases_match_the_equations():
    rnnrbm, roll = make(), frames(5, 12)
    p = {name: tensor.numpy() for name, tensor in rnnrbm.state_dict().items()}
    u, expected = p["u0"], []
    for v in roll:
        expected.append((p["bv"] + p["Wuv"] @ u, p["bh"] + p["Wuh"] @ u))
        u = np.tanh(p["bu"] + p["Wvu"] @ v + p["Wuu"] @ u)
    batch = make_batch(roll[None])
    bv, bh, (last,) = rnnrbm.biases(batch.inputs, None, batch.reset)
    np.testing.assert_allclose(bv[0].detach(), [each for each, _ in expected], atol=1e-5)
    np.testing.assert_allclose(bh[0].detach(), [each for _, each in expected], atol=1e-5)
    after = rnnrbm.biases(torch.as_tensor(roll[None, -1:]), (last,), torch.zeros(1, 1, dtype=torch.bool))[2]
    np.testing.assert_allclose(after[0][0].detach(), u, atol=1e-5)


@CELLS
def test_pieces_start_from_the_trained_initial_state(cell):
    rnnrbm = make(cell=cell)
    batch = make_batch(frames(2, 6, 12), begins=(0, 4))
    bv, _, _ = rnnrbm.biases(batch.inputs, None, batch.reset)
    assert torch.equal(bv[:, 0], bv[:, 4])
    assert torch.allclose(bv[0, 0], rnnrbm.bv + rnnrbm.Wuv @ rnnrbm.u0, atol=1e-6)
    rnnrbm.loss(batch, None)[0].objective.backward()
    assert rnnrbm.u0.grad.abs().min() > 0


def test_dropout_applies_to_the_biases_only(monkeypatch):
    rnnrbm, batch, seen = make(dropout=0.5).train(), make_batch(frames(8, 40, 12)), []
    proper = rnnrbm._rbm_biases
    monkeypatch.setattr(rnnrbm, "_rbm_biases", lambda u: seen.append(u) or proper(u))
    _, (last,) = rnnrbm.loss(batch, None)
    whole, (expected,) = rnnrbm._recurrent(batch.inputs, None, batch.reset)
    u, whole = seen[0].detach(), whole.detach().flatten(0, 1)
    hidden = u == 0
    assert 0.4 < hidden.float().mean() < 0.6
    assert torch.allclose(u, 2 * whole.masked_fill(hidden, 0), atol=1e-3)
    assert torch.allclose(last, expected.detach(), atol=1e-6)


def test_pretraining_trains_one_rbm_for_all_frames(monkeypatch):
    rnnrbm = make()
    steps = []
    monkeypatch.setattr(network, "gibbs", lambda v, W, bv, bh, k: steps.append(k) or 1 - v)
    pretraining, training = rnnrbm.phases()
    assert (pretraining.epochs, pretraining.lr, training.epochs) == (
        rnnrbm.config.pretraining,
        rnnrbm.config.pretraining_lr,
        None,
    )
    rnnrbm.start_phase(pretraining)
    rnnrbm.loss(make_batch(frames(2, 6, 12)), None)[0].objective.backward()
    assert {name for name, p in rnnrbm.named_parameters() if p.grad is not None} == {"W", "bv", "bh"}
    rnnrbm.start_phase(training)
    rnnrbm.loss(make_batch(frames(2, 6, 12)), None)[0].objective.backward()
    assert all(parameter.grad is not None for parameter in rnnrbm.parameters())
    assert steps == [1, 15]


def test_no_gradient_through_the_chain(monkeypatch):
    """For fixed v*, the gradient of F(v) - F(v*) is the mean of v* - v for bv, and of h* v* - h v for W."""
    rnnrbm, roll = make(), frames(2, 6, 12)
    reached = torch.as_tensor(1 - roll).flatten(0, 1)
    monkeypatch.setattr(network, "gibbs", lambda v, W, bv, bh, k: (bv * 0).detach() + reached)
    batch = make_batch(roll)
    rnnrbm.loss(batch, None)[0].objective.backward()
    v = batch.targets.flatten(0, 1)
    bh = rnnrbm.biases(batch.inputs, None, batch.reset)[1].flatten(0, 1)
    h, h_reached = (bh + v @ rnnrbm.W.T).sigmoid(), (bh + reached @ rnnrbm.W.T).sigmoid()
    assert torch.allclose(rnnrbm.bv.grad, (reached - v).mean(0), atol=1e-5)
    assert torch.allclose(rnnrbm.W.grad, (h_reached.T @ reached - h.T @ v) / len(v), atol=1e-5)


def test_probabilities_of_all_frames_sum_to_one():
    rnnrbm = make(SequenceSpec(StepKind.FRAMES, size=6))
    every = torch.tensor([[[number >> unit & 1 for unit in range(6)]] for number in range(64)]).float()
    batches = [
        Batch(each[None] * 0, each[None], torch.ones(1, 1), torch.ones(1, 1, dtype=torch.bool)) for each in every
    ]
    measures = [rnnrbm.likelihood(batch, None)[0] for batch in batches]
    assert sum(np.exp(-measure.total) for measure in measures) == pytest.approx(1, abs=1e-5)
    assert {measure.stderr for measure in measures} == {0}


def test_effort_lowers_the_standard_error():
    rnnrbm = make(hidden=14, spread=0.8)
    batch = make_batch(frames(8, 20, 12))
    torch.manual_seed(0)
    rough, fine = (rnnrbm.likelihood(batch, None, effort)[0] for effort in (1, 9))
    assert 0 < fine.stderr < rough.stderr / 2
    assert abs(rough.total - fine.total) < 4 * (rough.stderr + fine.stderr)
    assert rnnrbm.evaluate(batch, None)[0].mean == pytest.approx(fine.mean, abs=0.1)


def test_padding_has_no_loss():
    rnnrbm, batch = make(), make_batch(frames(2, 6, 12))
    batch.weight[:] = 0
    assert rnnrbm.evaluate(batch, None)[0].count == 0
    assert rnnrbm.loss(batch, None)[0].objective == 0


@CELLS
def test_network_and_sampler_have_the_same_biases(cell):
    rnnrbm = make(cell=cell)
    sampler, roll = make_sampler(rnnrbm), frames(30, 2, 12)
    ours, theirs = sampler.initial_state([{}] * 2), rnnrbm.initial_state([{}] * 2)
    for column in roll:
        u = theirs.recurrent[0]
        bv, bh = sampler.biases(ours)
        np.testing.assert_allclose(bv, (u @ rnnrbm.Wuv.T + rnnrbm.bv).detach(), atol=1e-5)
        np.testing.assert_allclose(bh, (u @ rnnrbm.Wuh.T + rnnrbm.bh).detach(), atol=1e-5)
        ours, theirs = sampler.advance(ours, column), rnnrbm.advance(theirs, column)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.0},
        {"temperature": 0.7},
        {"temperature": 1.0},
        {"temperature": 2.0, "top_p": 0.8},
        {"temperature": [0, 1, 0.6, 1], "top_k": [0, 0, 2, 1]},
        {"temperature": 0.6, "per_unit": True},
    ],
)
@CELLS
def test_network_and_sampler_draw_the_same_frames(cell, settings):
    rnnrbm = make(cell=cell, gibbs=5)
    draws = []
    for model in (rnnrbm, make_sampler(rnnrbm)):
        state, own_draws, rng = model.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(20):
            own_draws.append(
                model.sample(state, BatchSamplingParams.for_rows(4, **settings), rng.at_steps(np.full(4, step)))
            )
            state = model.advance(state, own_draws[-1].steps)
        draws.append(own_draws)
    same = [(a.steps == b.steps).all() and np.allclose(a.logp, b.logp, atol=1e-4) for a, b in zip(*draws, strict=True)]
    assert np.mean(same) >= 0.95
    assert len({each.steps.tobytes() for each in draws[0]}) > 1


@pytest.mark.parametrize("gibbs", [1, 5])
def test_network_and_sampler_apply_rules_alike(gibbs):
    rnnrbm = make(gibbs=gibbs)
    whole = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 7))
    rules = [None, FrameRule(must_be_off=0b11, must_be_on=0b110, limits=(Limit(0xFF0, 2), Limit(0xF, 1))), whole]
    draws = []
    for model in (rnnrbm, make_sampler(rnnrbm)):
        state, rng = model.initial_state([{}] * 3), CounterRNG(range(3)).at_steps(np.zeros(3, int))
        draws.append(
            model.sample(model.advance(state, frames(3, 12)), BatchSamplingParams.for_rows(3, rule=rules), rng)
        )
    assert (draws[0].steps == draws[1].steps).all()
    np.testing.assert_allclose(draws[0].masked_prob, draws[1].masked_prob, atol=1e-5)


def test_log_prob_is_unsupported():
    rnnrbm = make()
    for model in (rnnrbm, make_sampler(rnnrbm)):
        with pytest.raises(Unsupported):
            model.log_prob(model.initial_state([{}]), frames(1, 12))


@CELLS
def test_chains_that_start_from_zeros_do_not_see_the_last_frame(cell):
    """Without its influence on the biases, the last frame matters only as the start of the chain."""

    def draw_after(sampler, frame):
        state = sampler.advance(sampler.initial_state([{}] * 40), frame)
        rng = CounterRNG(range(40)).at_steps(np.zeros(40, int))
        return sampler.sample(state, BatchSamplingParams.for_rows(40), rng).steps

    for start in ("previous", "zeros"):
        rnnrbm = make(spread=3, cell=cell, gibbs=1, gibbs_from=start)
        torch.nn.init.zeros_(rnnrbm.Wuv)
        torch.nn.init.zeros_(rnnrbm.Wuh)
        after_notes = draw_after(rnnrbm, frames(40, SPEC.size, share=0.8))
        after_silence = draw_after(rnnrbm, np.zeros((40, SPEC.size)))
        assert (after_notes == after_silence).all() == (start == "zeros")
        assert (after_notes == draw_after(make_sampler(rnnrbm), frames(40, SPEC.size, share=0.8))).all()
