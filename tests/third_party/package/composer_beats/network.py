"""Markov chain for training and generation."""

import torch

from composer.toolkit.models.stepwise_torch import StepwiseNetwork


class Table(StepwiseNetwork):
    """Row i has the logits of the token after token i."""

    def __init__(self, spec):
        super().__init__(spec)
        self.logits = torch.nn.Embedding(spec.size, spec.size)

    def initial_layer_states(self, rows):
        return (torch.zeros(1, rows, 1, device=self.device),)

    def forward(self, inputs, state, reset, conditions):
        return self.logits(inputs), state
