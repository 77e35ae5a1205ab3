"""Text with the whole program: what is trained plays, with its conditions, and what cannot be is said in one line."""

from __future__ import annotations

import pytest

TINY = ("--max-updates", "4", "--set", "hidden=8", "--set", "layers=1", "--set", "embedding=4", "--device", "cpu")
LINES = ("The rain it falls", "A lark sings", "O my heart", "Down the hill", "Night is long", "Come, my love")


@pytest.fixture
def songs(tmp_path):
    """A folder for each of two artists, with twelve songs each."""
    for artist in ("Burns", "Blake"):
        for number in range(12):
            path = tmp_path / "songs" / artist / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{artist} {number}\n\n{LINES[number % 6]},\n{LINES[number // 2]}.\n")
    return tmp_path / "songs"


@pytest.fixture
def file(tmp_path):
    def make(content, name="poems.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def test_a_conditional_model_is_trained_and_played(composer, songs):
    assert composer("train", "text", songs, *TINY, "--name", "poets").code == 0
    assert "artist: Blake, Burns" in composer("show", "poets").out
    ask = ("gen", "text", "--checkpoint", "poets", "--seed", "3", "--length", "60", "--prime-text", "O my")
    burns, again, blake, anyone = (
        composer(*ask, *condition)
        for condition in (
            ("--condition", "artist=burns"),
            ("--condition", "artist=Burns"),
            ("--condition", "artist=blake"),
            (),
        )
    )
    assert burns.data == again.data
    assert len({burns.data, blake.data, anyone.data}) > 1
    assert all(result.out.startswith("O my") and result.out.endswith("\n") for result in (burns, blake, anyone))
    composer(*ask, "--condition", "artist=watts").failed("no artist `watts`", "Blake, Burns", code=2)


def test_songs_without_labels_make_a_model_without_conditions(composer, songs):
    assert composer("train", "text", songs, *TINY, "-o", "label=none", "--name", "plain").code == 0
    composer("gen", "text", "--checkpoint", "plain", "--condition", "artist=burns").failed("taught without", code=2)
    composer("gen", "text", "--checkpoint", "plain", "--prime-text", "O €").failed("'€'")


def test_what_is_cut_is_said_to_be_cut(composer, songs):
    composer("train", "text", songs, *TINY, "--name", "plain")
    result = composer("gen", "text", "--checkpoint", "plain", "--length", "5", "--seed", "1")
    assert len(result.out.removesuffix("\n")) <= 5
    assert "cut at 5" in result.err


def test_a_single_piece_is_learnt_with_a_warning(composer, file):
    result = composer("train", "text", file("lyric\nOne song alone\n"), *TINY)
    assert result.code == 0
    assert "1 piece is too few to set some aside" in result.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("artist,line,year\na,b,c\n", ("`artist`, `line`, `year`", "-o column=NAME")),
        ("artist,lyric\n", ("has a single row", "names of the columns")),
        (b"lyric\na\0b\n", ("is not a text file", "suffix")),
        ('lyric\na\n"b\nc\n', ("line 3", "never closed", "written twice")),
        ("lyric\n" + "a" * 1_000_001 + "\n", ("line 2", "1,000,000 characters", "never closed")),
        ("", ("is empty", "column names")),
        ("lyric\na\n", ("a single character, 'a'", "words")),
    ],
)
def test_a_table_that_cannot_be_learnt_from(composer, file, content, says):
    composer("train", "text", file(content), *TINY).failed(*says)


def test_a_column_that_is_not_there(composer, file):
    path = file("artist,lyrics\na,b\n")
    composer("train", "text", path, "-o", "column=lyric", *TINY).failed(
        "no column `lyric`", "`artist`, `lyrics`", "did you mean `lyrics`?"
    )
    composer("train", "text", path, "-o", "labels=genre", *TINY).failed("no column `genre`", "`artist`, `lyrics`")


def test_a_filter_that_lets_nothing_pass_lists_what_there_is(composer, songs):
    composer("train", "text", songs, "-o", "only=artist:watts", *TINY).failed("`Blake`", "`Burns`")


@pytest.mark.parametrize(("content", "says"), [("a", "a single character"), ("", "is empty"), (" \n", "is empty")])
def test_a_text_with_nothing_in_it(composer, file, content, says):
    composer("train", "text", file(content, "a.txt"), *TINY).failed(says)


def test_a_folder_without_a_readable_file(composer, tmp_path):
    (tmp_path / "empty").mkdir()
    composer("train", "text", tmp_path / "empty", *TINY).failed("no piece", ".txt .csv .tsv")
    (tmp_path / "empty" / "a.txt").write_bytes(b"\0\0")
    composer("train", "text", tmp_path / "empty", *TINY).failed("not a text file")


def test_a_file_larger_than_any_that_is_read(composer, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as sparse:
        sparse.truncate(300 * 2**20)
    composer("train", "text", path, *TINY).failed("larger than 256 MB", "smaller files")


def test_music_is_no_opening_for_words(composer, songs, tunes):
    composer("train", "text", songs, *TINY, "--name", "plain")
    composer("gen", "text", "--checkpoint", "plain", "--prime", tunes).failed("`text` cannot convert a score")
