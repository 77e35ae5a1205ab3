"""Network states as arrays and back."""

import json

import pytest
import torch

from composer.api import PluginError
from composer.training.state_io import flatten, state_arrays, unflatten


def test_flatten_and_unflatten():
    state = ({"h": torch.arange(3.0), "n": 2}, [torch.ones(2, dtype=torch.bfloat16) / 3, None], torch.tensor(7))
    arrays = {}
    structure = json.loads(json.dumps(flatten(state, arrays, "m")))
    back = unflatten(structure, state_arrays(arrays), "cpu")
    assert type(back) is tuple
    assert torch.equal(back[0]["h"], state[0]["h"])
    assert back[0]["n"] == 2
    assert torch.equal(back[1][0], state[1][0])
    assert back[1][0].dtype is torch.bfloat16
    assert back[1][1] is None
    assert back[2].shape == ()
    with pytest.raises(PluginError, match="`m` has a object in its state"):
        flatten(object(), {}, "m")
