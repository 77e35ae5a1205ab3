"""An optimiser that has not loaded torch's compiler learns the same."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, torch
from composer.training.optimizer import Settings, optimiser

def learnt(make):
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 5))
    for optimiser in (make([weight]), make([weight])):
        if weight.grad is not None:
            optimiser.load_state_dict(before)
        for _ in range(3):
            optimiser.zero_grad()
            (weight ** 4).sum().backward()
            optimiser.step()
        before = optimiser.state_dict()
        assert len(before["param_groups"]) == 1
    return weight.detach()

settings = Settings(optimiser=sys.argv[1], lr=0.1)
ours = learnt(lambda parameters: optimiser(settings, parameters, "cpu"))
assert "torch._dynamo" not in sys.modules, "the compiler is loaded"
import torch._dynamo
theirs = learnt(lambda parameters: optimiser(settings, parameters, "cpu"))
assert type(optimiser(settings, [ours.clone().requires_grad_()], "cpu")).__module__.startswith("torch.optim")
assert torch.equal(ours, theirs), "the weights differ"
"""


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_it_learns_the_same_without_the_compiler(name):
    done = subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
