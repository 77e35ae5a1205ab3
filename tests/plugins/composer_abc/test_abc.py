"""The abc representation: read, reject, encode and stream tunes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from composer.api import (
    EncodeError,
    GenerationContext,
    Key,
    Meter,
    Note,
    OptionError,
    Part,
    Piece,
    ReadError,
    RejectedPiece,
    Score,
    Source,
    Unsatisfiable,
)
from composer.api.testing import check_representation, source
from composer.formats import write
from composer.formats.abc.reader.parser import parse_tune
from composer_abc import Abc, AbcOptions

TWO = """X:7
T:The First Step
R:jig
M:6/8
K:D
A|dcd fed|cBA ABc|dcd fed|cAA A2:|

X:12
T:The Second Step
M:4/4
L:1/8
K:Ador
|:A2 eA dAcA|A2 ed ^cAde|[1 fdec dBAG|E2 A2 A4:|[2 fdec dBAG|E2 A2 A4|]
"""


def primer(text: str, options: AbcOptions | None = None) -> Piece | RejectedPiece:
    return next(Abc(options).read(Source(Path("primer"), name="primer", data=text.encode(), fragment=True)))


def fitted(options: AbcOptions | None = None) -> Abc:
    abc = Abc(options)
    abc.fit(piece for piece in abc.read(source(TWO, "two.abc")) if isinstance(piece, Piece))
    return abc


def streamed(abc: Abc, text: str, number: int = 1) -> str:
    decoder = abc.decoder(number)
    events = [event for step in abc.prime(Piece(text)) for event in decoder.push(step)]
    return "".join(str(event) for event in [*events, *decoder.finish()])


@pytest.mark.parametrize("options", [AbcOptions(), AbcOptions("raw")])
def test_contract(options):
    check_representation(Abc, [source(TWO, "two.abc")], options)


def test_read_returns_tunes_with_titles_and_labels():
    first, second = Abc().read(source(TWO, "two.abc"))
    assert first == Piece(
        "T:The First Step\nR:jig\nM:6/8\nL:1/8\nK:D\n|:A|dcd fed|cBA ABc|dcd fed|cAA A2:|\n",
        "The First Step",
        "two.abc: tune 7",
        {"rhythm": "jig", "meter": "6/8", "key": "D", "mode": "major"},
    )
    assert second.source == "two.abc: tune 12"
    assert second.labels == {"meter": "4/4", "key": "Ador", "mode": "dorian"}


def test_raw_text_is_unchanged():
    abc = Abc(AbcOptions("raw"))
    assert "\n".join(str(piece.content) for piece in abc.read(source(TWO, "two.abc"))) == TWO


def test_rejections_name_the_reason():
    texts = {
        "X:1\nM:6/8\nK:D\nA2|ABA ABAB|ABA|ABA ABA|\n": "bar too long",
        "X:1\nM:6/8\nK:D\n\n": "no notes",
        "X:1\nK:D\nABC|\n": "no meter",
    }
    for text, reason in texts.items():
        (item,) = Abc().read(source(text, "odd.abc"))
        assert isinstance(item, RejectedPiece)
        assert (item.reason, item.source) == (reason, "odd.abc: tune 1")
        assert item.detail.startswith("line ")


@pytest.mark.parametrize("options", [AbcOptions(), AbcOptions("raw")])
def test_tune_that_breaks_the_reader_is_one_rejection(options, monkeypatch):
    def broken(text):
        if "Second" in text.text:
            raise OverflowError("too large")
        return parse_tune(text)

    monkeypatch.setattr("composer.formats.abc.reader.parser.parse_tune", broken)
    monkeypatch.setattr("composer.formats.abc.dialect.normalize.parse_tune", broken)
    first, second = Abc(options).read(source(TWO, "two.abc"))
    assert isinstance(first, Piece)
    assert isinstance(second, RejectedPiece)
    assert (second.reason, second.detail) == ("unreadable tune", "line 8: too large")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b"\n \n", "is empty"), (b"\x89PNG\r\n\x1a\n\0", "not a text")]
)
def test_files_other_than_abc_are_errors(content, words):
    for options in (AbcOptions(), AbcOptions("raw")):
        with pytest.raises(ReadError, match=words):
            list(Abc(options).read(source(content, "picture.abc")))


def test_invalid_option():
    with pytest.raises(OptionError, match="'rare'"):
        AbcOptions("rare")


def test_stream_is_numbered_and_ends_with_a_blank_line():
    abc = fitted()
    tune = "T:The First Step\nM:6/8\nL:1/8\nK:D\n|:A|dcd fed|cAA A2:|\n"
    assert streamed(abc, tune, 3) == f"X:3\n{tune}\n"
    assert streamed(abc, "T:The First Step\nK:D\nAB", 3) == "X:3\nT:The First Step\nK:D\nAB\n\n"


def test_raw_stream_is_renumbered():
    abc = fitted(AbcOptions("raw"))
    assert streamed(abc, "X:12\nT:The First\n", 3) == "X:3\nT:The First\n\n"
    assert streamed(abc, "X:12", 3) == "X:3\n\n"
    assert streamed(abc, "T:The", 3) == "X:3\nT:The\n\n"


def test_unseen_characters_are_named():
    with pytest.raises(EncodeError, match=r"primer has characters .*: '\$', 'a', 'ß'"):
        fitted().prime(primer("R:$traße\n"))


def test_chord_symbols_are_removed_if_the_model_knows_none():
    plain = fitted()
    chords = Piece('M:6/8\nL:1/8\nK:D\n|:A|"D"dcd fed|"A7"cBA "G"ABc|', losses={"chord symbols left out": 1, "x": 2})
    assert plain.prime(chords) == plain.prime(Piece("M:6/8\nL:1/8\nK:D\n|:A|dcd fed|cBA ABc|"))
    assert plain.losses(chords) == {"chord symbols left out": 4, "x": 2}
    assert plain.losses(Piece("M:6/8\n")) == {}
    trained = Abc()
    trained.fit([chords])
    assert streamed(trained, str(chords.content)).startswith("X:1\n" + str(chords.content))
    assert trained.losses(chords) == chords.losses
    with pytest.raises(EncodeError, match="not in the training data"):
        fitted(AbcOptions("raw")).prime(chords)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("M:6/8\nL:1/8\nK:D\n|:A|dc", "M:6/8\nL:1/8\nK:D\n|:A|dc"),
        ("M:6/8\nL:1/8\nK:D\n|:A|dcd fed|", "M:6/8\nL:1/8\nK:D\n|:A|dcd fed|"),
        ("T:A Ti", "T:A Ti"),
        ("ABc", "ABc"),
        ("X:4\nM:6/8\nL:1/8\nK:D\nA|dcd fed|", "M:6/8\nL:1/8\nK:D\nA|dcd fed|"),
        ("M:6/8\nL:1/4\nK:D\nA/|d/2c/2d/2 f/e/d/|", "M:6/8\nL:1/8\nK:D\nA|dcd fed|"),
        (
            "X:4\nM:6/8\nL:1/4\nK:D\nA/|d/2c/2d/2 f/e/d/|c/A/A/ A:|\n\nX:5\nK:C\nC|",
            "M:6/8\nL:1/8\nK:D\n|:A|dcd fed|cAA A2:|\n",
        ),
    ],
)
def test_primer_is_unchanged_if_valid_and_rewritten_otherwise(text, content):
    assert primer(text).content == content


def test_score():
    abc = fitted()
    (piece, _) = abc.read(source(TWO, "two.abc"))
    score = abc.score(piece)
    assert score is not None
    assert [note.pitch for note in score.notes[:4]] == [69, 74, 73, 74]
    assert score.duration == 24
    assert abc.score(Piece("T:nothing but a title\nK:D\n")) is None


def test_only_the_dialect_has_a_constraint():
    abc = fitted()
    constraint = abc.constraint()
    assert constraint is not None
    assert constraint.inner is abc.constraint().inner
    assert constraint.inner is abc.constraint(None, GenerationContext(rules=1)), "as in files of older versions"
    assert constraint.allowed(constraint.start(abc.prime(Piece("M:6/8\nL:1/8\nK:D\n|:A|dcd fed|cAA A2:|\n")))) & 1
    assert fitted(AbcOptions("raw")).constraint() is None
    with pytest.raises(Unsatisfiable, match="a model of raw text has no controls") as caught:
        fitted(AbcOptions("raw")).constraint(Abc.Controls(bars=8))
    assert caught.value.hint == "leave out the controls, or use a model trained with -O text=dialect"


def part(*notes: tuple[float, int, float], **about: object) -> Part:
    return Part(tuple(Note(Fraction(onset), pitch, Fraction(length)) for onset, pitch, length in notes), **about)  # type: ignore[arg-type]


class TestMelodiesOfOtherFormats:
    """The melody of a MIDI or MusicXML file is a tune of the dialect."""

    MELODY = part((0, 69, 1), (1, 71, 0.5), (1.5, 73, 0.5), (2, 74, 4))
    BASS = part((0, 50, 3), (3, 45, 3), name="Bass")
    WALTZ = Score(
        (MELODY, BASS), meters=(Meter(Fraction(0), 3, 4),), keys=(Key(Fraction(0), 2),), title="A Waltz in the Rain"
    )

    @pytest.mark.parametrize("form", ["midi", "musicxml"])
    def test_read(self, form):
        [piece] = Abc().read(source(write(form, self.WALTZ), "waltz.music"))
        assert piece == Piece(
            "T:A Waltz in the Rain\nM:3/4\nL:1/8\nK:D\nA2 Bc d2-|d6|]\n",
            "A Waltz in the Rain",
            "waltz.music",
            {"meter": "3/4", "key": "D", "mode": "major"},
            {"other parts left out": 1},
        )

    def test_raw_text_has_a_number(self):
        [piece] = Abc(AbcOptions("raw")).read(source(write("midi", self.WALTZ), "waltz.mid"))
        assert isinstance(piece, Piece)
        assert piece.content.startswith("X:1\nT:A Waltz in the Rain\n")

    def test_a_missing_key_is_estimated_and_counted(self):
        score = Score((part((0, 67, 1), (1, 71, 1), (2, 74, 1), (3, 78, 1), (4, 67, 4)),))
        [piece] = Abc().read(source(write("midi", score), "a.mid"))
        assert isinstance(piece, Piece)
        assert piece.labels == {"meter": "4/4", "key": "G", "mode": "major"}
        assert piece.losses == {"keys estimated from the notes": 1}

    def test_notes_off_the_grid_are_moved_and_counted(self):
        late = part((0, 69, 1), (1.05, 71, 0.95), (2, 74, 1))
        [piece] = Abc().read(source(write("midi", replace(self.WALTZ, parts=(late,))), "a.mid"))
        assert isinstance(piece, Piece)
        assert piece.content.endswith("\nA2 B2 d2|]\n")
        assert piece.losses == {"notes moved to the grid": 1}

    def test_a_primer_is_left_open(self):
        data = write("midi", replace(self.WALTZ, parts=(part((0, 69, 1), (1, 71, 1)),)))
        [piece] = Abc().read(Source(Path("-"), name="stdin", data=data, fragment=True))
        assert isinstance(piece, Piece)
        assert piece.content.endswith("K:D\nA2 B2 ")

    def test_rejections_name_the_reason(self):
        changing = replace(self.WALTZ, meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(4), 3, 4)))
        [rejected] = Abc().read(source(write("midi", changing), "a.mid"))
        assert rejected == RejectedPiece("changes meter, but only one meter per tune is supported", "a.mid")
        with pytest.raises(ReadError, match=r"b\.mid"):
            list(Abc().read(source(b"not music", "b.mid")))

    def test_contract(self):
        other = Score((part((0, 67, 2), (2, 69, 1), (3, 71, 1), (4, 67, 4)),))
        files = [source(write("midi", self.WALTZ), "waltz.mid"), source(write("musicxml", other), "other.musicxml")]
        check_representation(Abc, files, AbcOptions())
