"""An optimizer without torch's compiler computes the same."""

import inspect
import json
import subprocess
import sys

import torch

from composer.training.optimizer import make_optimizer
from composer.training.settings import Settings

NAMES = ("adam", "adamw", "sgd")


def trained(name):
    """Return weights that were trained and resumed."""
    weight, before = torch.nn.Parameter(torch.linspace(-1, 1, 5)), {}
    for _ in range(2):
        optimizer = make_optimizer(Settings(optimizer=name, lr=0.1), [weight], "cpu")
        if weight.grad is not None:
            optimizer.load_state_dict(before)
        for _ in range(3):
            optimizer.zero_grad()
            (weight**4).sum().backward()
            optimizer.step()
        before = optimizer.state_dict()
        assert len(before["param_groups"]) == 1
    return weight.tolist()


SCRIPT = """
import json, sys, torch
from composer.training.optimizer import make_optimizer
from composer.training.settings import Settings
{source}
print(json.dumps({{name: trained(name) for name in {names}}}))
assert "torch._dynamo" not in sys.modules, "the compiler is loaded"
"""


def test_same_weights_without_the_compiler():
    script = SCRIPT.format(source=inspect.getsource(trained), names=NAMES)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    import torch._dynamo  # from now on, the optimizers of this process are torch's own

    for name, ours in json.loads(done.stdout).items():
        theirs = make_optimizer(Settings(optimizer=name, lr=0.1), [torch.zeros(1, requires_grad=True)], "cpu")
        assert type(theirs).__module__.startswith("torch.optim")
        assert ours == trained(name), f"the weights of {name} differ"
