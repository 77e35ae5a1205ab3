"""An optimizer without torch's compiler computes the same."""

import subprocess
import sys

SCRIPT = """
import sys, torch
from composer.training.optimizer import make_optimizer
from composer.training.settings import Settings

def trained(make):
    weight = torch.nn.Parameter(torch.linspace(-1, 1, 5))
    for optimizer in (make([weight]), make([weight])):
        if weight.grad is not None:
            optimizer.load_state_dict(before)
        for _ in range(3):
            optimizer.zero_grad()
            (weight ** 4).sum().backward()
            optimizer.step()
        before = optimizer.state_dict()
        assert len(before["param_groups"]) == 1
    return weight.detach()

def alike(name):
    return lambda parameters: make_optimizer(Settings(optimizer=name, lr=0.1), parameters, "cpu")

names = ("adam", "adamw", "sgd")
ours = {name: trained(alike(name)) for name in names}
assert "torch._dynamo" not in sys.modules, "the compiler is loaded"
import torch._dynamo
for name in names:
    theirs = trained(alike(name))
    assert type(alike(name)([theirs.clone().requires_grad_()])).__module__.startswith("torch.optim")
    assert torch.equal(ours[name], theirs), f"the weights of {name} differ"
"""


def test_same_weights_without_the_compiler():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
