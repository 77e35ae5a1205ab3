"""What a representation need not write: encoding and decoders have defaults."""

from dataclasses import replace
from fractions import Fraction

import pytest

from composer.api import Note, Part, Piece, PluginError, Representation, Score, SequenceSpec, StepKind


class Tones(Representation):
    """A fixed vocabulary of tones, one for each quarter note; the content of a piece is a tuple of pitches."""

    api, name, summary, version = 1, "tones", "one tone after the other", 1
    kind, suffixes, formats = StepKind.TOKENS, (".tones",), ("midi",)
    spec = SequenceSpec(StepKind.TOKENS, size=129, end=128)

    def read(self, source):
        yield Piece(tuple(map(int, source.text().split())))

    def prime(self, piece):
        return list(piece.content)

    def decode(self, steps):
        return Piece(tuple(step for step in steps if step != self.spec.end))

    def score(self, piece):
        return Score(
            (Part(tuple(Note(Fraction(beat), pitch, Fraction(1)) for beat, pitch in enumerate(piece.content))),)
        )


class Chords(Tones):
    """The same as frames of one unit."""

    kind = StepKind.FRAMES
    spec = SequenceSpec(StepKind.FRAMES, size=128)

    def prime(self, piece):
        return [(pitch,) for pitch in piece.content]


class WrittenTones(Tones):
    """The same with a text format."""

    native, formats = "text", ("text", "midi")

    def text(self, piece):
        return " ".join(map(str, piece.content))


def decoded(representation, steps):
    decoder = representation.decoder()
    return [event for step in steps for event in decoder.push(step)], list(decoder.finish())


def test_encode_is_the_primer_and_the_end_token():
    assert Tones().encode(Piece((60, 62))) == [60, 62, 128]
    assert Chords().encode(Piece((60, 62))) == [(60,), (62,)]


def test_the_default_decoder_returns_the_notes_of_the_score():
    pushed, finished = decoded(Tones(), [60, 62, 128])
    assert pushed == []
    assert finished == [Note(Fraction(0), 60, Fraction(1)), Note(Fraction(1), 62, Fraction(1))]


def test_the_default_decoder_returns_the_text_as_a_line():
    assert decoded(WrittenTones(), [60, 62, 128]) == ([], ["60 62\n"])


def test_a_text_that_ends_a_line_gets_no_second_line_feed():
    class Lines(WrittenTones):
        def text(self, piece):
            return super().text(piece) + "\n"

    assert decoded(Lines(), [60, 128])[1] == ["60\n"]


def test_a_piece_without_a_score_has_no_notes():
    class Silent(Tones):
        def score(self, piece):
            return None

    assert decoded(Silent(), [60, 128]) == ([], [])


def test_text_is_the_content_if_that_is_text():
    assert Representation.text(Tones(), Piece("c d e")) == "c d e"
    with pytest.raises(PluginError, match="`tones` has no method `text`, and the content of its pieces is a tuple"):
        Representation.text(Tones(), Piece((60,)))


def test_a_fixed_vocabulary_has_nothing_to_fit_or_restore():
    tones = Tones()
    tones.fit([Piece((60,))])
    other = Tones()
    other.restore(tones.state())
    assert replace(other.spec) == tones.spec
