"""A tiny representation and model for fast tests, with a folder of words."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from composer.api import (
    EncodeError,
    Model,
    Piece,
    ReadError,
    RejectedPiece,
    Representation,
    SequenceSpec,
    StepKind,
    TextDecoder,
)


class Letters(Representation):
    """Words, letter by letter; rejects words with digits; the label `author` is the folder."""

    api, name, summary, version = 1, "letters", "words, letter by letter", 1
    kind, suffixes, formats, native = StepKind.TOKENS, (".txt",), ("text",), "text"
    reads = 0

    def read(self, source):
        type(self).reads += 1
        if not source.text().strip():
            raise ReadError(f"{source.label} is empty")
        for number, word in enumerate(source.text().split(), 1):
            place = f"{source.label}: word {number}"
            if any(letter.isdigit() for letter in word):
                yield RejectedPiece("a word has a digit", place, word)
            else:
                yield Piece(word, source=place, labels={"author": source.path.parent.name} if source.root else {})

    def fit(self, pieces):
        self.letters = sorted({letter for piece in pieces for letter in piece.content})

    @property
    def spec(self):
        return SequenceSpec(StepKind.TOKENS, size=1 + len(self.letters), end=0)

    def prime(self, piece):
        unknown = sorted(set(piece.content) - set(self.letters))
        if unknown:
            raise EncodeError(f"{piece.source} has {' '.join(unknown)}")
        return [1 + self.letters.index(letter) for letter in piece.content]

    def decode(self, steps):
        return Piece("".join(self.letters[step - 1] for step in steps if step))

    def decoder(self, number=1):
        return TextDecoder(lambda step: self.letters[step - 1] if step else "")

    def losses(self, piece):
        return {"long words": 1} if len(piece.content) > 6 else {}

    def variants(self, piece):
        yield Piece(piece.content.upper(), source=piece.source, labels=piece.labels)

    def state(self):
        return {"letters": self.letters}

    def restore(self, state: Mapping):
        self.letters = state["letters"]


@dataclass(frozen=True)
class TinyConfig:
    hidden: int = 8


class Tiny(Model):
    """One recurrent layer with dropout."""

    api, name, summary, accepts, Config = 1, "tiny", "one recurrent layer", frozenset(StepKind), TinyConfig

    def network(self, spec, config):
        import torch

        from composer.toolkit.models.stepwise_torch import StepwiseNetwork

        class TinyNetwork(StepwiseNetwork):
            def __init__(self):
                super().__init__(spec)
                self.embed = torch.nn.Embedding(spec.size, config.hidden)
                self.cell = torch.nn.GRU(config.hidden, config.hidden, batch_first=True)
                self.dropout = torch.nn.Dropout(0.3)
                self.output = torch.nn.Linear(config.hidden, spec.size)

            def initial_layer_states(self, rows):
                return (torch.zeros(1, rows, config.hidden),)

            def forward(self, inputs, state, reset, conditions):
                hidden, outputs = state[0], []
                for step in range(inputs.shape[1]):
                    hidden = hidden if reset is None else hidden * ~reset[None, :, step, None]
                    output, hidden = self.cell(self.embed(inputs[:, step : step + 1]), hidden)
                    outputs.append(output)
                return self.output(self.dropout(torch.cat(outputs, 1))), (hidden,)

        return TinyNetwork()


class Calm(Tiny):
    """Tiny without dropout, so that splitting a batch changes nothing; batches above `fits` steps are out of memory."""

    def __init__(self, fits=10_000):
        self.fits = fits

    def network(self, spec, config):
        import torch

        network = super().network(spec, config)
        network.dropout.p = 0.0

        def limit_memory(function):
            def limited(batch, state):
                if batch.inputs.numel() > self.fits:
                    raise torch.OutOfMemoryError("out of memory")
                return function(batch, state)

            return limited

        network.loss, network.evaluate = limit_memory(network.loss), limit_memory(network.evaluate)
        return network


def words(count):
    """Return `count` different words in which letters mostly follow the alphabet."""
    generator = random.Random(0)
    result = []
    while len(result) < count:
        places = [generator.randrange(8)]
        for _ in range(generator.randrange(3, 30)):
            places.append((places[-1] + 1) % 8 if generator.random() < 0.8 else generator.randrange(8))
        word = "".join("abcdefgh"[place] for place in places)
        result += [] if word in result else [word]
    return result


@pytest.fixture
def letters():
    Letters.reads = 0
    return Letters()


@pytest.fixture
def tiny():
    return Tiny()


@pytest.fixture
def tunes(tmp_path):
    """A folder of 60 words in three files."""
    folder = tmp_path / "tunes"
    folder.mkdir()
    every = words(60)
    for number in range(3):
        (folder / f"{number}.txt").write_text(" ".join(every[number * 20 : number * 20 + 20]))
    return folder
