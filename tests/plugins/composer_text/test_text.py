"""The text representation: options, vocabulary, conditions, encoding and streaming."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import EncodeError, OptionError, Piece, ReadError, SequenceSpec
from composer.api.testing import check_representation, source
from composer_text import END, OTHER, UNKNOWN, UNKNOWN_CHARACTERS, Text, TextOptions

SONGS = "The rain it falls,\nThe wind it calls.\n\n\nA lark went up\nin the gray.\n\nAnd sang.\n"
POEMS = "artist,lyric\nburns,O my luve\nblake,Tyger tyger\nburns,Wee sleekit\n,no name\n"


def pieces(text: str, name: str = "songs.txt", options: TextOptions | None = None) -> list[Piece]:
    return [item for item in Text(options).read(source(text, name)) if isinstance(item, Piece)]


def fitted(*contents: str, options: TextOptions | None = None) -> Text:
    text = Text(options)
    text.fit([Piece(content) for content in contents])
    return text


def streamed(text: Text, content: str, number: int = 1) -> str:
    decoder = text.decoder(number)
    events = [event for step in text.encode(Piece(content)) for event in decoder.push(step)]
    return "".join(str(event) for event in [*events, *decoder.finish()])


@pytest.mark.parametrize("options", [TextOptions(), TextOptions("gap"), TextOptions("blank"), TextOptions("row")])
def test_contract(options):
    check_representation(Text, [source(SONGS, "one.txt"), source("Another one.\n", "two.txt")], options)


def test_contract_of_csv_with_labels():
    check_representation(Text, [source(POEMS, "poems.csv")], TextOptions(labels=("artist",)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"piece": "verse"}, "invalid value for `piece`: 'verse'"),
        ({"label": "folders"}, "invalid value for `label`: 'folders'"),
        ({"label_name": " "}, "invalid value for `label_name`"),
        ({"floor": 0}, "invalid value for `floor`: '0'"),
        ({"only": ("artist:",)}, "invalid value for `only`: 'artist:'"),
    ],
)
def test_invalid_options(options, says):
    with pytest.raises(OptionError, match=says) as caught:
        TextOptions(**options)
    assert caught.value.hint


def test_vocabulary_comes_from_training_pieces():
    text = fitted("abba", "cab")
    assert text.characters == "abc"
    assert text.spec == SequenceSpec(text.kind, 5, END)
    assert text.encode(Piece("cab")) == [4, 2, 3, END]


def test_unknown_characters_share_a_symbol_and_are_counted():
    text = fitted("abba", "cab")
    piece = Piece("ab€b¥", losses={"drum notes left out": 1})
    assert text.encode(piece) == [2, 3, OTHER, 3, OTHER, END]
    assert text.losses(piece) == {"drum notes left out": 1, UNKNOWN_CHARACTERS: 2}
    assert text.losses(Piece("abc")) == {}
    assert text.decode([2, OTHER, 3, END]).content == f"a{UNKNOWN}b"


def test_piece_of_mostly_unknown_characters():
    with pytest.raises(EncodeError, match=r"poems\.txt: line 3 has characters .* 'ж'"):
        fitted("abba", "cab").encode(Piece("aжжж", source="poems.txt: line 3"))


def test_unknown_characters_in_a_primer_are_named():
    with pytest.raises(EncodeError, match="--prime-text has characters unknown to the model: 'é', '€'") as e:
        fitted("abba").prime(Piece("ab€é", source="--prime-text"))
    assert "ab" in e.value.hint


def test_floor_drops_rare_characters():
    text = fitted("abba", "cab", options=TextOptions(floor=2))
    assert text.characters == "ab"
    assert text.losses(Piece("cab")) == {UNKNOWN_CHARACTERS: 1}
    with pytest.raises(OptionError, match="floor=9") as caught:
        fitted("abba", options=TextOptions(floor=9))
    assert "at most 2" in caught.value.hint


@pytest.mark.parametrize("content", ["a", "aaaa"])
def test_single_character_is_an_error(content):
    with pytest.raises(ReadError, match="only one character, 'a'") as caught:
        fitted(content)
    assert caught.value.hint


def test_replacement_character_is_not_in_the_vocabulary():
    text = fitted(f"ab{UNKNOWN}")
    assert text.characters == "ab"
    assert text.encode(Piece(f"ab{UNKNOWN}")) == [2, 3, OTHER, END]


@given(st.text(max_size=40), st.text(min_size=2, max_size=40))
def test_encode_decode_encode(content, vocabulary):
    text = Text()
    text.restore({"characters": "".join(sorted(set(vocabulary) - {UNKNOWN}))})
    try:
        steps = text.encode(Piece(content))
    except EncodeError:
        return
    decoded = str(text.decode(steps).content)
    assert text.encode(Piece(decoded)) == steps
    assert [a for a, b in zip(content, decoded, strict=True) if a != b and b != UNKNOWN] == []


def test_labels_from_the_path_and_of_columns_are_default_conditions():
    assert list(Text().default_conditions()) == ["artist"]
    assert list(Text(TextOptions(labels=("genre", "artist"))).default_conditions()) == ["artist", "genre"]
    assert list(Text(TextOptions(label="none")).default_conditions()) == []


def test_unknown_label():
    with pytest.raises(OptionError, match="no piece has a label `genre`") as caught:
        fitted("one", "two", options=TextOptions(labels=("genre",)))
    assert caught.value.hint == "leave out -O labels"


def test_constraint_allows_known_characters_and_at_least_one():
    text = fitted("abc")
    rule = text.constraint()
    assert rule is not None
    start = rule.start(())
    assert rule.allowed(start) == 0b11100
    assert rule.allowed(rule.step(start, 3)) == 0b11101
    assert rule.allowed(rule.start((2,))) == 0b11101
    assert rule.complete(start) == ()


def test_two_blank_lines_between_texts():
    text = fitted("abc\n")
    assert streamed(text, "ab") + streamed(text, "c\n", 2) + streamed(text, "a", 3) == "ab\n\n\nc\n\n\na\n"


def test_output_can_be_read_again():
    text = fitted(SONGS)
    written = streamed(text, "a lark\nwent up\n\nin the rain") + streamed(text, "the wind\nfalls", 2)
    assert [piece.content for piece in pieces(written, options=TextOptions("gap"))] == [
        "a lark\nwent up\n\nin the rain",
        "the wind\nfalls",
    ]
