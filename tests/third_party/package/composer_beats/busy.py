"""`busy`: rank pieces by their number of notes."""

from composer.api import hookimpl
from composer.api.ranking import Rank, Ranking


def rank(logp, score):
    return Rank((len(score.notes),), f"{len(score.notes)} notes")


@hookimpl
def composer_ranking():
    return Ranking("busy", "the most notes", rank)
