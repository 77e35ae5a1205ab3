"""Speed of whole processes and of single steps, as ratios to baselines (medians of pairs).

python tests/bench/speed/generation.py [--pairs 7]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from naive_torch import CharacterLstm
from pairs import HEADER, measure, process

from composer.api import Piece
from composer.api.sampling.filters import BatchSamplingParams, CounterRNG
from composer.checkpoints.file import Checkpoint, Header, save
from composer_abc import Abc
from composer_attn_lstm import AttnLstm, AttnLstmConfig
from composer_lstm import Lstm, LstmConfig

TOKENS = 500
LETTERS = "".join(chr(code) for code in range(40, 103))


def endless_checkpoint(path: Path) -> None:
    """Save a 2 x 256 model with random weights that never ends a tune, so that both sides write the same number."""
    representation = Abc()
    representation.fit([Piece(LETTERS)])
    spec, config = representation.spec, LstmConfig()
    torch.manual_seed(0)
    weights = {name: tensor.half().numpy() for name, tensor in Lstm().network(spec, config).state_dict().items()}
    weights["output.bias"][spec.end] = -1000
    options = {name: getattr(representation.options, name) for name in representation.options.__slots__}
    settings = {name: getattr(config, name) for name in config.__slots__}
    header = Header("abc", Abc.version, options, representation.state(), "lstm", settings, spec)
    save(path, Checkpoint(header, weights))


def steps(model, config):
    """Return a function that generates TOKENS tokens at batch size 1 with random weights."""
    representation = Abc()
    representation.fit([Piece(LETTERS)])
    spec = representation.spec
    weights = {name: tensor.numpy().copy() for name, tensor in model().network(spec, config).state_dict().items()}
    sampler, params, rng = model().sampler(spec, config, weights), BatchSamplingParams.for_rows(1), CounterRNG([1])

    def generate():
        state = sampler.initial_state([{}])
        for step in range(TOKENS):
            state = sampler.advance(state, sampler.sample(state, params, rng.at_steps(np.array([step]))).steps)

    return generate


def torch_steps():
    """Return the same for nn.LSTM, step by step in torch."""
    model = CharacterLstm(256, 2).eval()

    @torch.no_grad()
    def generate():
        token, state = torch.zeros(1, 1, dtype=torch.long), None
        for _ in range(TOKENS):
            logits, state = model(token, state)
            token = torch.multinomial(torch.softmax(logits, -1), 1)

    return generate


def main() -> None:
    """Print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    composer = [sys.executable, "-m", "composer"]
    naive = Path(__file__).with_name("naive_torch.py")
    print(HEADER)
    help_ = measure(process([*composer, "--help"]), process([sys.executable, "-c", "import typer"]), pairs)
    print(help_.row("`composer --help` over `import typer`", "1.5"))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, "endless.safetensors")
        endless_checkpoint(checkpoint)
        gen = [
            *composer,
            "gen",
            "abc",
            "--unconstrained",
            "--checkpoint",
            str(checkpoint),
            "--length",
            str(TOKENS),
            "--seed",
            "1",
        ]
        whole = measure(process(gen), process([sys.executable, str(naive), str(TOKENS)]), pairs)
    print(whole.row(f"`composer gen abc`, {TOKENS} tokens, 2 x 256, over a naive torch process", "0.12"))
    lstm_steps = steps(Lstm, LstmConfig())
    print(
        measure(lstm_steps, torch_steps(), pairs).row(
            f"{TOKENS} tokens, batch 1, over nn.LSTM stepped in torch", "0.14"
        )
    )
    attention_steps = steps(AttnLstm, AttnLstmConfig())
    print(
        measure(attention_steps, lstm_steps, pairs).row(f"{TOKENS} tokens, batch 1, attn-lstm 2 x 256 over lstm", "1.5")
    )


if __name__ == "__main__":
    main()
