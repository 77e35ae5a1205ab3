"""Contract test for models: training, streaming, independent rows, and agreement of network and sampler."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from composer.api.model import Model
from composer.api.sequence import SequenceSpec, StepKind
from composer.api.testing.checks import Check, about, expect, nothing_printed, random_state_kept
from composer.api.testing.options import check_ranges_enforced
from composer.api.testing.samplers import check_agreement, check_sampling, random_features, random_steps
from composer.registry.class_checks import check_class
from composer.registry.guard import Owner, guard_model
from composer.system.threads import limited_threads

if TYPE_CHECKING:
    from composer.api.network import Batch, Network

__all__ = ["check_model", "model_checks"]

FEATURES = {"position": 6, "bar": 3}
"""Position features of the sequences that positional models are tested with."""

SUM_TOLERANCE = 1e-5
"""Relative tolerance for sums over many steps that are split differently."""

HIDDEN_TOLERANCE = 1e-4
"""Tolerance for the activations of hidden units."""

SAMPLING = "`initial_state`, `advance`, `sample` or `gather_rows`"

UPDATES, MAX_UPDATES = 10, 40
"""Updates between evaluations, and until the loss must be lower."""

WINDOW, HALF = 20, 8
"""Steps of a window, and where it is split into two."""


def check_model(model_class: type[Model], **settings: Any) -> None:
    """Test `model_class` with every kind of sequence that it accepts; `settings` are those of its Config.

    torch and numpy use one thread for each idle core meanwhile. Raises AssertionError, whose message is a sentence that
    names the row, the step and the size of a difference.
    """
    with limited_threads():
        for check in model_checks(model_class, **settings):
            check.result()


def model_checks(kind: type[Model], **settings: Any) -> Iterator[Check]:
    """Yield the parts of `check_model`; run each before the next."""
    yield Check("class of the model", partial(_check_class, kind, settings))
    model = guard_model(kind, Owner(kind.name, kind.__module__))()
    config = dataclasses.replace(model.Config(), **settings)
    for spec, name in _sequences(kind):
        subject = _Subject(model, spec, config)
        yield Check(f"training on {name}", partial(_silently, subject.check_learns))
        yield Check(f"windows of {name}", partial(_silently, subject.check_streams))
        yield Check(f"generating {name}", partial(_silently, subject.check_network))
        yield Check(f"sampler of {name}", partial(_silently, subject.check_sampler))


def _silently(run: Callable[[], str]) -> str:
    with nothing_printed():
        return run()


def _check_class(kind: type[Model], settings: Mapping[str, Any]) -> str:
    with about(""):
        check_class(kind)
        dataclasses.replace(kind.Config(), **settings)
        check_ranges_enforced(kind, "Config")
    return f"API version {kind.api}"


def _sequences(kind: type[Model]) -> Iterator[tuple[SequenceSpec, str]]:
    """Yield every kind of sequence that a model accepts, and what messages call it."""
    conditions = {"rhythm": ("jig", "reel")}
    for sequence in sorted(kind.accepts):
        end = 0 if sequence is StepKind.TOKENS else None
        yield SequenceSpec(sequence, size=12, end=end), str(sequence)
        if kind.conditional:
            yield SequenceSpec(sequence, 12, end, conditions=conditions), f"{sequence} with conditions"
        if kind.positional:
            labels = conditions if kind.conditional else {}
            spec = SequenceSpec(sequence, 12, end, conditions=labels, features=FEATURES)
            yield spec, f"{sequence} with position features"


class _Subject:
    """A model, guarded as the program guards it, on one kind of sequence."""

    def __init__(self, model: Model, spec: SequenceSpec, config: Any) -> None:
        self.model, self.spec, self.config = model, spec, config

    def check_learns(self) -> str:
        """Training on one batch lowers its loss."""
        network = self._untrained_network()
        batch = _batch(self.spec, rows=4, length=24)
        summaries = []
        for phase in network.phases():
            before, after = _train(network, phase, batch)
            for when, measured in (("before", before), ("after", after)):
                expect(
                    math.isfinite(measured.mean),
                    f"the logits are NaN or infinite: the loss is {measured.mean} {when} training in phase "
                    f"`{phase.name}`",
                )
            counted = float(batch.weight.sum())
            expect(
                after.count == before.count == counted,
                f"`evaluate` must count exactly the {counted:g} steps with weight 1, not {before.count:g}",
            )
            expect(
                after.mean < before.mean,
                f"training in phase `{phase.name}` did not lower the loss: {before.mean} before, {after.mean} after",
            )
            summaries.append(f"{before.mean:.2f} to {after.mean:.2f} nats")
        return ", ".join(summaries)

    def check_streams(self) -> str:
        """Two windows with the state passed on equal one long window; a reset clears the state."""
        network = self._new_network().eval()
        network.start_phase(network.phases()[-1])
        batch = _batch(self.spec, rows=3, length=WINDOW)
        with random_state_kept("`evaluate`"):
            _compare_windows(
                network,
                batch,
                "the loss of two successive windows differs from that of one long window",
                pass_state=True,
                causes="; likely causes: a step depends on later ones, or the state that is returned is not the one "
                "after the last step",
            )
            _check_hidden_states(network, batch)
            batch.reset[:, HALF] = True
            _compare_windows(network, batch, "a reset does not clear the state", pass_state=False)
        return f"{WINDOW} steps"

    def check_network(self) -> str:
        """The network generates."""
        network = _rounded(self._new_network())
        with random_state_kept(SAMPLING):
            return check_sampling(network, self.spec)

    def check_sampler(self) -> str:
        """The numpy sampler, if there is one, generates, and agrees with the network."""
        network = _rounded(self._new_network())
        weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
        sampler = self.model.sampler(self.spec, self.config, weights)
        if sampler is None:
            return "none, so the network generates"
        with random_state_kept(SAMPLING):
            check_sampling(sampler, self.spec)
        return check_agreement(network, sampler, self.spec)

    def _new_network(self) -> Network:
        """Return a new network; one without weights is trained, since it predicts everything alike before."""
        network = self._untrained_network()
        for phase in () if list(network.parameters()) else network.phases():
            _train(network, phase, _batch(self.spec, rows=4, length=24))
        return network

    def _untrained_network(self) -> Network:
        import torch

        torch.manual_seed(0)
        return self.model.network(self.spec, self.config)


def _train(network: Network, phase: Any, batch: Batch) -> tuple[Any, Any]:
    """Train on a batch in one phase until its loss is lower; return its evaluations before and after."""
    import torch

    network.start_phase(phase)
    network.eval()
    before = network.evaluate(batch, None)[0]
    network.train()
    if not phase.gradient:
        with torch.no_grad():
            network.loss(batch, None)
        network.eval()
        return before, network.evaluate(batch, None)[0]
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    after = before
    for _ in range(MAX_UPDATES // UPDATES):
        network.train()
        for _ in range(UPDATES):
            optimizer.zero_grad()
            loss = network.loss(batch, None)[0]
            loss.objective.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.eval()
        after = network.evaluate(batch, None)[0]
        if after.mean < before.mean:
            break
    return before, after


def _compare_windows(network: Network, batch: Batch, message: str, *, pass_state: bool, causes: str = "") -> None:
    """Compare the loss of one window with that of its two halves; name the first step where they part, and `causes`."""

    def totals(stop: int) -> tuple[float, float]:
        """Return the loss of the first `stop` steps in two windows, and in one."""
        first, state = network.evaluate(batch.slice_time(0, HALF), None)
        second, _ = network.evaluate(batch.slice_time(HALF, stop), state if pass_state else None)
        return first.total + second.total, network.evaluate(batch.slice_time(0, stop), None)[0].total

    def differ(stop: int) -> bool:
        halves, whole = totals(stop)
        return abs(halves - whole) > SUM_TOLERANCE * abs(whole)

    if not differ(WINDOW):
        return
    stop = next(stop for stop in range(HALF + 1, WINDOW + 1) if differ(stop))
    halves, whole = totals(stop)
    raise AssertionError(
        f"{message}: from step {stop} on, where they are {halves:.6f} and {whole:.6f} nats, {abs(halves - whole):.2g} "
        f"apart; the tolerance is {SUM_TOLERANCE * abs(whole):.2g}{causes}"
    )


def _check_hidden_states(network: Network, batch: Batch) -> None:
    """The hidden states of two successive windows, if the network shows any, are those of one long window."""
    from composer.api.network import Network

    if type(network).hidden_states is Network.hidden_states:
        return
    whole, _ = network.hidden_states(batch, None)
    first, state = network.hidden_states(batch.slice_time(0, HALF), None)
    second, _ = network.hidden_states(batch.slice_time(HALF, WINDOW), state)
    for name, window, expected in (("first", first, whole[:, :HALF]), ("second", second, whole[:, HALF:])):
        apart = float((window - expected).abs().max())
        expect(
            apart <= HIDDEN_TOLERANCE,
            f"`hidden_states` of the {name} of two successive windows differ from those of one long window by "
            f"{apart:.2g}; the tolerance is {HIDDEN_TOLERANCE:g}",
        )


def _rounded(network: Network) -> Network:
    """Round the weights to the precision of a checkpoint, which has no buffers that are not persistent."""
    state = network.state_dict().items()
    network.load_state_dict({name: each.half() if each.is_floating_point() else each for name, each in state})
    return network.eval()


def _batch(spec: SequenceSpec, rows: int, length: int) -> Batch:
    """Return a window in which every row starts a piece and the last step of the first row is padding."""
    import torch

    from composer.api.network import Batch

    targets = torch.from_numpy(random_steps(spec, rows, length)).transpose(0, 1).contiguous()
    targets = targets if spec.kind is StepKind.TOKENS else targets.float()
    begin = torch.full_like(targets[:, :1], spec.end or 0)
    weight = torch.ones(rows, length)
    weight[0, -1] = 0
    reset = torch.zeros(rows, length, dtype=torch.bool)
    reset[:, 0] = True
    index = torch.arange(rows)[:, None].expand(rows, length)
    conditions = {name: index % (1 + len(values)) - 1 for name, values in spec.conditions.items()}
    features = [each["features"] for each in random_features(spec, rows, length) if each]
    stacked = torch.from_numpy(np.stack(features, axis=1)) if features else None
    return Batch(torch.cat([begin, targets[:, :-1]], 1), targets, weight, reset, conditions, stacked)
