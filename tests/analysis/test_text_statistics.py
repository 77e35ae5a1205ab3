"""Statistics of a text, and what it shares with others."""

from composer.analysis.text_statistics import FIRST_WORDS, TextReference, lines_of, stanzas_of, words_of

ONE = "The fox is on the hill\nand I am home\n\nThe moon, the moon!\n"
OTHER = "the fox is on the HILL\nnobody saw him\n"


def test_lines_stanzas_and_words():
    assert len(lines_of(ONE)) == 3
    assert [len(stanza) for stanza in stanzas_of(ONE)] == [2, 1]
    assert words_of("Don't, I'll 12 o’clock") == ["don't", "i'll", "o’clock"]


def test_copied_lines_ignore_case_and_punctuation():
    reference = TextReference.from_texts([ONE])
    assert reference.metrics(OTHER)["lines_copied"] == 1 / 2
    assert reference.metrics(OTHER)["words_known"] == 6 / 9


def test_text_of_the_reference_is_compared_with_the_others():
    reference = TextReference.from_texts([ONE, OTHER])
    assert reference.metrics(ONE, own=True)["lines_copied"] == 1 / 3
    assert reference.metrics(ONE)["lines_copied"] == 1
    assert TextReference.from_texts([ONE, ONE]).metrics(ONE, own=True)["lines_copied"] == 1


def test_short_lines_are_not_copies():
    assert TextReference.from_texts(["My love\n"]).metrics("My love\n")["lines_copied"] is None


def test_variety_uses_the_first_words():
    few, same = "one two three", " ".join(["la"] * FIRST_WORDS)
    assert TextReference.from_texts([]).metrics(few)["variety"] is None
    assert TextReference.from_texts([]).metrics(same)["variety"] == 1 / FIRST_WORDS
    assert TextReference.from_texts([]).metrics(same + " and many others that are new")["variety"] == 1 / FIRST_WORDS
