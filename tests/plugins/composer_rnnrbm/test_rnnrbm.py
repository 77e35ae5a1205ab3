"""The rnnrbm plugin: its contract, its equations, and that both faces are the same machine."""

import numpy as np
import pytest
import torch

from composer.api import FrameRule, Limit, OptionError, SequenceSpec, StepKind, Unsupported
from composer.api.network import Batch
from composer.api.sampling.filters import CounterRNG, SamplingParams
from composer.api.testing import check_model
from composer_rnnrbm import RnnRbm, RnnRbmConfig, network

SPEC = SequenceSpec(StepKind.FRAMES, size=12)
CELLS = pytest.mark.parametrize("cell", ["tanh", "lstm"])


def made(spec=SPEC, *, spread=0.5, **settings):
    """A network whose weights are all far from zero."""
    torch.manual_seed(0)
    made = RnnRbm().network(spec, RnnRbmConfig(**{"hidden": 10, "recurrent": 7, **settings}))
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return made.half().float().eval()


def sampler_of(made):
    weights = {name: tensor.numpy().copy() for name, tensor in made.state_dict().items()}
    return RnnRbm().sampler(made.spec, made.config, weights)


def frames(*shape, share=0.3):
    return (np.random.default_rng(1).random(shape) < share).astype(np.float32)


def batch_of(targets, begins=(0,)):
    targets = torch.as_tensor(targets)
    inputs = torch.cat([torch.zeros_like(targets[:, :1]), targets[:, :-1]], 1)
    reset = torch.zeros(targets.shape[:2], dtype=torch.bool)
    reset[:, list(begins)] = True
    return Batch(inputs, targets, torch.ones(targets.shape[:2]), reset)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": 8},  # the partition function is counted out
        {"hidden": 14},  # and here estimated
        {"hidden": 8, "cell": "lstm"},
        {"hidden": 8, "pretraining": 0},
        {"hidden": 8, "dropout": 0.5},
    ],
)
def test_contract(settings):
    check_model(RnnRbm, recurrent=6, **settings)


@pytest.mark.parametrize("name", ["hidden", "recurrent", "k", "gibbs"])
def test_a_number_below_one_is_refused(name):
    with pytest.raises(OptionError, match=f"`{name}` cannot be 0"):
        RnnRbmConfig(**{name: 0})


@pytest.mark.parametrize("wrong", [{"pretraining": -1}, {"pretraining_lr": 0.0}, {"cell": "gru"}, {"dropout": 1.0}])
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        RnnRbmConfig(**wrong)


@CELLS
def test_the_biases_of_a_frame_depend_on_the_frames_before_it_and_on_no_other(cell):
    learnt, roll = made(cell=cell), frames(1, 10, 12)
    changed = roll.copy()
    changed[0, 6] = 1 - changed[0, 6]
    (bv, bh, _), (bv2, bh2, _) = (
        learnt.biases(batch.inputs, None, batch.reset) for batch in (batch_of(roll), batch_of(changed))
    )
    assert torch.equal(bv[:, :7], bv2[:, :7])
    assert torch.equal(bh[:, :7], bh2[:, :7])
    assert (bv[:, 7] != bv2[:, 7]).all()
    assert (bh[:, 7] != bh2[:, 7]).all()


def test_the_biases_are_those_of_the_equations():
    learnt, roll = made(), frames(5, 12)
    p = {name: tensor.numpy() for name, tensor in learnt.state_dict().items()}
    u, expected = p["u0"], []
    for v in roll:
        expected.append((p["bv"] + p["Wuv"] @ u, p["bh"] + p["Wuh"] @ u))
        u = np.tanh(p["bu"] + p["Wvu"] @ v + p["Wuu"] @ u)
    batch = batch_of(roll[None])
    bv, bh, (last,) = learnt.biases(batch.inputs, None, batch.reset)
    np.testing.assert_allclose(bv[0].detach(), [each for each, _ in expected], atol=1e-5)
    np.testing.assert_allclose(bh[0].detach(), [each for _, each in expected], atol=1e-5)
    after = learnt.biases(torch.as_tensor(roll[None, -1:]), (last,), torch.zeros(1, 1, dtype=torch.bool))[2]
    np.testing.assert_allclose(after[0][0].detach(), u, atol=1e-5)


@CELLS
def test_a_piece_begins_with_what_was_learnt_of_beginnings(cell):
    learnt = made(cell=cell)
    batch = batch_of(frames(2, 6, 12), begins=(0, 4))
    bv, _, _ = learnt.biases(batch.inputs, None, batch.reset)
    assert torch.equal(bv[:, 0], bv[:, 4])
    assert torch.allclose(bv[0, 0], learnt.bv + learnt.Wuv @ learnt.u0, atol=1e-6)
    learnt.loss(batch, None)[0].objective.backward()
    assert learnt.u0.grad.abs().min() > 0


def test_dropout_hides_recurrent_units_from_the_machines_and_not_from_one_another(monkeypatch):
    learnt, batch, seen = made(dropout=0.5).train(), batch_of(frames(8, 40, 12)), []
    proper = learnt._rbm_biases
    monkeypatch.setattr(learnt, "_rbm_biases", lambda u: seen.append(u) or proper(u))
    _, (last,) = learnt.loss(batch, None)
    whole, (expected,) = learnt._recurrent(batch.inputs, None, batch.reset)
    u, whole = seen[0].detach(), whole.detach().flatten(0, 1)
    hidden = u == 0
    assert 0.4 < hidden.float().mean() < 0.6
    assert torch.allclose(u, 2 * whole.masked_fill(hidden, 0), atol=1e-3)
    assert torch.allclose(last, expected.detach(), atol=1e-6)


def test_pretraining_is_one_machine_for_all_frames(monkeypatch):
    learnt = made()
    steps = []
    monkeypatch.setattr(network, "gibbs", lambda v, W, bv, bh, k: steps.append(k) or 1 - v)
    alone, whole = learnt.phases()
    assert (alone.epochs, alone.lr, whole.epochs) == (learnt.config.pretraining, learnt.config.pretraining_lr, None)
    learnt.start_phase(alone)
    learnt.loss(batch_of(frames(2, 6, 12)), None)[0].objective.backward()
    assert {name for name, p in learnt.named_parameters() if p.grad is not None} == {"W", "bv", "bh"}
    learnt.start_phase(whole)
    learnt.loss(batch_of(frames(2, 6, 12)), None)[0].objective.backward()
    assert all(parameter.grad is not None for parameter in learnt.parameters())
    assert steps == [1, 15]


def test_no_gradient_goes_through_the_chain(monkeypatch):
    """With v* given, the gradient of F(v) - F(v*) by bv is the mean of v* - v, by W that of h* v* - h v."""
    learnt, roll = made(), frames(2, 6, 12)
    reached = torch.as_tensor(1 - roll).flatten(0, 1)
    monkeypatch.setattr(network, "gibbs", lambda v, W, bv, bh, k: (bv * 0).detach() + reached)
    batch = batch_of(roll)
    learnt.loss(batch, None)[0].objective.backward()
    v = batch.targets.flatten(0, 1)
    bh = learnt.biases(batch.inputs, None, batch.reset)[1].flatten(0, 1)
    h, h_reached = (bh + v @ learnt.W.T).sigmoid(), (bh + reached @ learnt.W.T).sigmoid()
    assert torch.allclose(learnt.bv.grad, (reached - v).mean(0), atol=1e-5)
    assert torch.allclose(learnt.W.grad, (h_reached.T @ reached - h.T @ v) / len(v), atol=1e-5)


def test_the_likelihoods_of_all_frames_make_one():
    learnt = made(SequenceSpec(StepKind.FRAMES, size=6))
    every = torch.tensor([[[number >> unit & 1 for unit in range(6)]] for number in range(64)]).float()
    batches = [
        Batch(each[None] * 0, each[None], torch.ones(1, 1), torch.ones(1, 1, dtype=torch.bool)) for each in every
    ]
    measures = [learnt.likelihood(batch, None)[0] for batch in batches]
    assert sum(np.exp(-measure.total) for measure in measures) == pytest.approx(1, abs=1e-5)
    assert {measure.stderr for measure in measures} == {0}


def test_a_likelihood_that_is_estimated_has_an_error_that_effort_makes_smaller():
    learnt = made(hidden=14, spread=0.8)
    batch = batch_of(frames(8, 20, 12))
    torch.manual_seed(0)
    rough, fine = (learnt.likelihood(batch, None, effort)[0] for effort in (1, 9))
    assert 0 < fine.stderr < rough.stderr / 2
    assert abs(rough.total - fine.total) < 4 * (rough.stderr + fine.stderr)
    assert learnt.evaluate(batch, None)[0].mean == pytest.approx(fine.mean, abs=0.1)


def test_a_batch_of_padding_costs_nothing():
    learnt, batch = made(), batch_of(frames(2, 6, 12))
    batch.weight[:] = 0
    assert learnt.evaluate(batch, None)[0].count == 0
    assert learnt.loss(batch, None)[0].objective == 0


@CELLS
def test_both_faces_have_the_same_biases_after_the_same_frames(cell):
    learnt = made(cell=cell)
    played, roll = sampler_of(learnt), frames(30, 2, 12)
    ours, theirs = played.initial_state([{}] * 2), learnt.initial_state([{}] * 2)
    for column in roll:
        u = theirs.recurrent[0]
        bv, bh = played.biases(ours)
        np.testing.assert_allclose(bv, (u @ learnt.Wuv.T + learnt.bv).detach(), atol=1e-5)
        np.testing.assert_allclose(bh, (u @ learnt.Wuh.T + learnt.bh).detach(), atol=1e-5)
        ours, theirs = played.advance(ours, column), learnt.advance(theirs, column)


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0])
@CELLS
def test_both_faces_draw_the_same_frames_from_the_same_noise(cell, temperature):
    learnt = made(cell=cell, gibbs=5)
    drawn = []
    for player in (learnt, sampler_of(learnt)):
        state, got, rng = player.initial_state([{}] * 4), [], CounterRNG(range(4))
        for step in range(20):
            got.append(
                player.sample(
                    state, SamplingParams.for_rows(4, temperature=temperature), rng.at_steps(np.full(4, step))
                )
            )
            state = player.advance(state, got[-1].steps)
        drawn.append(got)
    same = [(a.steps == b.steps).all() and np.allclose(a.logp, b.logp, atol=1e-4) for a, b in zip(*drawn, strict=True)]
    assert np.mean(same) >= 0.95
    assert len({each.steps.tobytes() for each in drawn[0]}) > 1


@pytest.mark.parametrize("gibbs", [1, 5])
def test_both_faces_keep_the_same_rules_in_the_same_way(gibbs):
    learnt = made(gibbs=gibbs)
    whole = FrameRule(project=lambda frame: tuple(unit for unit in frame if unit != 7))
    rules = [None, FrameRule(must_be_off=0b11, must_be_on=0b110, limits=(Limit(0xFF0, 2), Limit(0xF, 1))), whole]
    drawn = []
    for player in (learnt, sampler_of(learnt)):
        state, rng = player.initial_state([{}] * 3), CounterRNG(range(3)).at_steps(np.zeros(3, int))
        drawn.append(player.sample(player.advance(state, frames(3, 12)), SamplingParams.for_rows(3, rule=rules), rng))
    assert (drawn[0].steps == drawn[1].steps).all()
    np.testing.assert_allclose(drawn[0].masked_prob, drawn[1].masked_prob, atol=1e-5)


def test_no_face_scores_frames():
    learnt = made()
    for player in (learnt, sampler_of(learnt)):
        with pytest.raises(Unsupported):
            player.log_prob(player.initial_state([{}]), frames(1, 12))
