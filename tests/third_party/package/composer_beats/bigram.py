"""`bigram`: the next token depends on the last one. It has no sampler, so its network generates."""

from composer.api import Model, StepKind, hookimpl


class Bigram(Model):
    """A table of logits."""

    api, name, summary, accepts = 1, "bigram", "a first-order Markov chain", frozenset({StepKind.TOKENS})

    def network(self, spec, config):
        from composer_beats.network import Table

        return Table(spec)


@hookimpl
def composer_model():
    return Bigram
