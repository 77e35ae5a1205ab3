"""Baseline of the speed benchmark: a character LSTM sampled token by token in torch.

python tests/bench/speed/naive_torch.py TOKENS [HIDDEN [LAYERS]]
"""

import sys

import torch
from torch import nn

VOCABULARY = 64


class CharacterLstm(nn.Module):
    """Embedding, LSTM, linear."""

    def __init__(self, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 64)
        self.lstm = nn.LSTM(64, hidden, layers, batch_first=True)
        self.output = nn.Linear(hidden, VOCABULARY)

    def forward(self, token, state):
        output, state = self.lstm(self.embedding(token), state)
        return self.output(output[:, -1]), state


def main(tokens: int, hidden: int = 256, layers: int = 2) -> None:
    """Sample and print `tokens` tokens."""
    model, state = CharacterLstm(hidden, layers).eval(), None
    token, text = torch.zeros(1, 1, dtype=torch.long), []
    with torch.no_grad():
        for _ in range(tokens):
            logits, state = model(token, state)
            token = torch.multinomial(torch.softmax(logits, -1), 1)
            text.append(chr(32 + int(token.item())))
    print("".join(text))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
