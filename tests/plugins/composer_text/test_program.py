"""The text representation on the command line: training, conditions, generation and errors."""

from __future__ import annotations

import pytest

TINY = ("--max-updates", "4", "--set", "hidden=8", "--set", "layers=1", "--set", "embedding=4", "--device", "cpu")
LINES = ("The rain it falls", "A lark sings", "O my heart", "Down the hill", "Night is long", "Come, my love")


@pytest.fixture
def songs(tmp_path):
    """Two folders, one per artist, with twelve songs each."""
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


def test_train_and_generate_with_conditions(composer, songs):
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
    composer(*ask, "--condition", "artist=watts").failed("no artist 'watts'", "Blake, Burns", code=2)


def test_songs_without_labels_have_no_conditions(composer, songs):
    assert composer("train", "text", songs, *TINY, "-O", "label=none", "--name", "plain").code == 0
    composer("gen", "text", "--checkpoint", "plain", "--condition", "artist=burns").failed(
        "trained without conditions", code=2
    )
    composer("gen", "text", "--checkpoint", "plain", "--prime-text", "O €").failed("'€'")
    assert composer("train", "text", songs, *TINY, "--conditions", "none", "--name", "bare").code == 0
    composer("gen", "text", "--checkpoint", "bare", "--condition", "artist=burns").failed(
        "trained without conditions", code=2
    )


def test_truncated_text_is_reported(composer, songs):
    composer("train", "text", songs, *TINY, "--name", "plain")
    result = composer("gen", "text", "--checkpoint", "plain", "--length", "5", "--seed", "1")
    assert len(result.out.removesuffix("\n")) <= 5
    assert "truncated at 5 characters" in result.err
    assert "at 1 character;" in composer("gen", "text", "--checkpoint", "plain", "--length", "1", "--seed", "1").err


def test_a_text_that_ends_within_a_line_is_reported(composer):
    within, at_line_end = ("--seed", "2"), ("--seed", "5")
    for more in ((), ("--candidates", "1", "--rank-by", "likelihood")):
        result = composer("gen", "text", "--length", "200", *within, *more)
        assert result.out.rstrip("\n").endswith(" "), result.out
        assert "truncated at 200 characters; use a larger --length" in result.err
        assert "truncated" not in composer("gen", "text", "--length", "200", *at_line_end, *more).err


def test_single_piece_gives_a_warning(composer, file):
    result = composer("train", "text", file("lyric\nOne song alone\n"), *TINY)
    assert result.code == 0
    assert "only 1 piece, too few to hold some out" in result.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("artist,line,year\na,b,c\n", ("`artist`, `line`, `year`", "use -O column=artist")),
        ("artist,lyric\n", ("has only one row", "header row")),
        (b"lyric\na\0b\n", ("is not a text file", "suffix")),
        ('lyric\na\n"b\nc\n', ("line 3", "unclosed quote", "write a quote twice")),
        ("lyric\n" + "a" * 1_000_001 + "\n", ("line 2", "1,000,000 characters", "unclosed quote")),
        ("", ("is empty", "header row")),
        ("lyric\na\n", ("only one character, 'a'", "words")),
    ],
)
def test_invalid_tables(composer, file, content, says):
    composer("train", "text", file(content), *TINY).failed(*says)


def test_unknown_column(composer, file):
    path = file("artist,lyrics\na,b\n")
    composer("train", "text", path, "-O", "column=lirics", *TINY).failed(
        "no column `lirics`", "`artist`, `lyrics`", "use -O column=lyrics"
    )
    composer("train", "text", path, "-O", "labels=genre", *TINY).failed("no column `genre`", "`artist`, `lyrics`")


def test_filter_without_matches_lists_the_values(composer, songs):
    composer("train", "text", songs, "-O", "only=artist:watts", *TINY).failed("`Blake`", "`Burns`")


@pytest.mark.parametrize(("content", "says"), [("a", "only one character"), ("", "is empty"), (" \n", "is empty")])
def test_files_without_text(composer, file, content, says):
    composer("train", "text", file(content, "a.txt"), *TINY).failed(says)


def test_folder_without_readable_files(composer, tmp_path):
    (tmp_path / "empty").mkdir()
    composer("train", "text", tmp_path / "empty", *TINY).failed("no .txt, .csv or .tsv files")
    (tmp_path / "empty" / "a.txt").write_bytes(b"\0\0")
    composer("train", "text", tmp_path / "empty", *TINY).failed("not a text file")


def test_too_large_file(composer, tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as sparse:
        sparse.truncate(300 * 2**20)
    composer("train", "text", path, *TINY).failed("larger than 256 MB", "smaller files")


def test_music_cannot_be_a_primer(composer, songs, tunes):
    composer("train", "text", songs, *TINY, "--name", "plain")
    composer("gen", "text", "--checkpoint", "plain", "--prime", tunes).failed("`text` cannot read music")
