"""The text representation: its options, vocabulary, conditions, encoding and streams."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from composer.api import EncodeError, OptionError, Piece, ReadError, SequenceSpec
from composer.api.testing import check_representation, source
from composer_text import END, OTHER, UNKNOWN, UNKNOWN_CHARACTERS, Text, TextOptions

SONGS = "The rain it falls,\nThe wind it calls.\n\n\nA lark went up\nin the grey.\n\nAnd sang.\n"
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


def test_contract_of_a_table_with_labels():
    check_representation(Text, [source(POEMS, "poems.csv")], TextOptions(labels=("artist",)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"piece": "verse"}, "no piece `verse`"),
        ({"label": "colour"}, "no label by `colour`"),
        ({"label_name": " "}, "`label_name` cannot be empty"),
        ({"floor": 0}, "`floor` cannot be 0"),
        ({"only": ("artist:",)}, "`only` cannot be `artist:`"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, says):
    with pytest.raises(OptionError, match=says) as caught:
        TextOptions(**options)
    assert caught.value.hint


def test_the_vocabulary_is_of_the_training_pieces():
    text = fitted("abba", "cab")
    assert text.characters == "abc"
    assert text.spec == SequenceSpec(text.kind, 5, END)
    assert text.encode(Piece("cab")) == [4, 2, 3, END]


def test_unseen_characters_are_one_symbol_and_counted():
    text = fitted("abba", "cab")
    piece = Piece("ab€b¥", losses={"drum notes left out": 1})
    assert text.encode(piece) == [2, 3, OTHER, 3, OTHER, END]
    assert text.losses(piece) == {"drum notes left out": 1, UNKNOWN_CHARACTERS: 2}
    assert text.losses(Piece("abc")) == {}
    assert text.decode([2, OTHER, 3, END]).content == f"a{UNKNOWN}b"


def test_a_piece_of_mostly_unseen_characters_is_refused():
    with pytest.raises(EncodeError, match=r"poems\.txt: line 3 has characters .* 'ж'"):
        fitted("abba", "cab").encode(Piece("aжжж", source="poems.txt: line 3"))


def test_unseen_characters_in_an_opening_are_named():
    with pytest.raises(EncodeError, match="--prime-text has characters that the model has not learnt: 'é', '€'") as e:
        fitted("abba").prime(Piece("ab€é", source="--prime-text"))
    assert "ab" in e.value.hint


def test_rare_characters_are_left_out_below_the_floor():
    text = fitted("abba", "cab", options=TextOptions(floor=2))
    assert text.characters == "ab"
    assert text.losses(Piece("cab")) == {UNKNOWN_CHARACTERS: 1}
    with pytest.raises(OptionError, match="floor=9") as caught:
        fitted("abba", options=TextOptions(floor=9))
    assert "2 times" in caught.value.hint


@pytest.mark.parametrize("content", ["a", "aaaa"])
def test_a_single_character_is_nothing_to_learn_from(content):
    with pytest.raises(ReadError, match="a single character, 'a'") as caught:
        fitted(content)
    assert caught.value.hint


def test_the_sign_of_what_is_unknown_is_never_learnt():
    text = fitted(f"ab{UNKNOWN}")
    assert text.characters == "ab"
    assert text.encode(Piece(f"ab{UNKNOWN}")) == [2, 3, OTHER, END]


@given(st.text(max_size=40), st.text(min_size=2, max_size=40))
def test_what_is_encoded_is_decoded_alike(content, learnt):
    text = Text()
    text.restore({"characters": "".join(sorted(set(learnt) - {UNKNOWN})), "conditions": {}})
    try:
        steps = text.encode(Piece(content))
    except EncodeError:
        return
    decoded = str(text.decode(steps).content)
    assert text.encode(Piece(decoded)) == steps
    assert [a for a, b in zip(content, decoded, strict=True) if a != b and b != UNKNOWN] == []


def test_labels_that_tell_pieces_apart_are_conditions():
    options = TextOptions(labels=("artist",))
    text = Text(options)
    text.fit(pieces(POEMS, "poems.csv", options))
    assert text.spec.conditions == {"artist": ("blake", "burns")}
    again = Text(options)
    again.restore(text.state())
    assert again.spec == text.spec


def test_a_label_that_all_pieces_share_is_no_condition():
    text = Text()
    text.fit([Piece("one", labels={"artist": "burns"}), Piece("two", labels={"artist": "burns"})])
    assert text.spec.conditions == {}
    text.fit([Piece("one", labels={"artist": "burns"}), Piece("two")])
    assert text.spec.conditions == {"artist": ("burns",)}


def test_a_label_that_was_asked_for_and_is_nowhere_is_an_error():
    with pytest.raises(OptionError, match="no piece has a label `genre`"):
        fitted("one", "two", options=TextOptions(labels=("genre",)))


def test_what_has_too_many_values_or_too_long_ones_is_no_condition():
    with pytest.raises(OptionError, match="`link` cannot be a condition: it has 5,000 values"):
        Text().fit(Piece(f"song {number}", labels={"link": str(number)}) for number in range(5000))
    with pytest.raises(OptionError, match="of up to 500 characters"):
        Text().fit([Piece("song", labels={"link": "a" * 500})])


def test_only_known_characters_are_drawn_and_at_least_one():
    text = fitted("abc")
    rule = text.constraint()
    assert rule is not None
    start = rule.start(())
    assert rule.allowed(start) == 0b11100
    assert rule.allowed(rule.step(start, 3)) == 0b11101
    assert rule.allowed(rule.start((2,))) == 0b11101
    assert rule.complete(start) == ()


def test_texts_of_a_file_stand_two_blank_lines_apart():
    text = fitted("abc\n")
    assert streamed(text, "ab") + streamed(text, "c\n", 2) + streamed(text, "a", 3) == "ab\n\n\nc\n\n\na\n"


def test_what_is_written_can_be_read_again():
    text = fitted(SONGS)
    written = streamed(text, "a lark\nwent up\n\nin the rain") + streamed(text, "the wind\nfalls", 2)
    assert [piece.content for piece in pieces(written, options=TextOptions("gap"))] == [
        "a lark\nwent up\n\nin the rain",
        "the wind\nfalls",
    ]
