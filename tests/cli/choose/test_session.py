"""`composer gen --choose`: keys, undoing, editing, and that the choices reproduce the piece."""

import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from virtual_midi import NAME, Output, install

from composer.api import ComposerError, RejectedPiece, Source
from composer.cli.app import main
from composer.cli.choose import editing
from composer.cli.choose.continuations import Draft
from composer.cli.choose.session import _Session, _Stage
from composer.cli.render.facts import count_written_bars
from composer.formats import provenance
from composer.formats.abc.dialect.validator import validate
from composer.formats.abc.grammar.automaton import InvalidPrimer
from composer.formats.read import read_playable
from composer.system.paths import models_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no pseudo terminals")

LONG = ("--bars", "8")


@pytest.fixture
def run(terminal, checkpoint, tmp_path):
    """Run `gen --choose 3` with these keys, and for tunes the small model; return what was written and its choices."""
    user, console, _ = terminal
    models_folder().mkdir(parents=True)
    (models_folder() / "small.safetensors").write_bytes(checkpoint.read_bytes())

    def run(keys, *arguments, rep="abc", name="tune.abc", code=0):
        path = tmp_path / name
        os.write(user, keys.encode())
        model = ["-c", "small"] if rep == "abc" else []
        line = ["gen", rep, *model, "--choose", "3", "--seed", "5", "-o", str(path), "--force", *map(str, arguments)]
        assert main(line, console) == code
        data = path.read_bytes()
        (found,) = provenance.read(data, "tune")
        return SimpleNamespace(data=data, choices=found.facts["choices"])

    return run


@pytest.fixture
def reproduced(composer):
    """Return whether `replay` reproduces what was written."""
    return lambda tune: composer("replay", "-", stdin=tune.data).err == "stdin: reproduced exactly\n"


@pytest.fixture
def editor(terminal, tmp_path):
    """Set an editor that runs a line of Python on the `text`."""

    def set_editor(code):
        script = tmp_path / "edit.py"
        script.write_text(f"import sys\np = sys.argv[1]\ntext = open(p).read()\n{code}\nopen(p, 'w').write(text)\n")
        terminal[1].environ["EDITOR"] = shlex.join([sys.executable, str(script)])

    return set_editor


def music(data):
    return "".join(provenance.without_provenance(data.decode().splitlines(keepends=True)))


def test_choosing_undoing_and_more(run, reproduced):
    tune = run("2m1u3q", *LONG)
    assert reproduced(tune)
    assert tune.choices[0] == 2
    assert tune.choices[1] >= 6  # the third of three more
    assert not validate(music(tune.data).partition("\n")[2].strip("\n") + "\n")


def test_unknown_keys_and_nothing_to_undo(run):
    (choice,) = run("9zu1uu\033[1~\033OQ3q", *LONG).choices
    assert choice >= 3


def test_no_continuation_is_shown_twice(monkeypatch, run):
    shown = []
    monkeypatch.setattr("composer.cli.choose.view.DraftView.show", lambda _, draft, *__: shown.append(draft))
    run("mm1q", "--temp", "0.5", *LONG)
    first = [draft.steps for draft in shown if draft.begin == 0]
    assert len(set(first)) == len(first) > 3
    shown.clear()
    assert run("1q", "--temp", "0", *LONG).choices == [1]
    assert len(shown) == 2  # there is one for each phrase


def test_prompt_and_controls(run, reproduced):
    tune = run("12q", "--prime-text", "M:4/4\nL:1/8\nK:C\nCDEF GABc|", "--title", "Chosen")
    assert "CDEF GABc|" in music(tune.data)
    assert "T:Chosen" in music(tune.data)
    assert reproduced(tune)


def test_a_complete_piece_has_no_more_continuations(run):
    assert run("1m13q", "--bars", "4").choices == [1]


@pytest.mark.parametrize("rep", ["grid", "pianoroll"])
def test_other_representations(run, reproduced, rep):
    tune = run("21q", "--bars", "8", rep=rep, name="tune.mid")
    assert tune.choices == [2, 1]
    assert reproduced(tune)


def test_editing(run, reproduced, editor):
    editor("text = 'T:Mine\\n' + text[text.index('M:'):]")
    tune = run("1e1q", *LONG)
    assert [type(choice) for choice in tune.choices] == [int, dict, int]
    assert reproduced(tune)
    assert "T:Mine\n" in music(tune.data)


def test_an_edit_that_changes_nothing_or_fails_is_no_choice(run, editor, monkeypatch):
    said = []
    monkeypatch.setattr("composer.cli.console.Console.fail", lambda _, *words: said.append(words))
    editor("")
    assert run("e1eq").choices == [1]
    for code in ("text = text.replace('L:', 'K:')", "sys.exit(3)"):
        editor(code)
        assert run("1eq").choices == [1]
    _, (message, hint), (status, _) = said
    assert message.startswith("the edited piece is invalid: ")
    assert hint == "press e to correct it"
    assert "ended with status 3" in status


def test_an_invalid_edit_is_said_with_its_place_and_no_options():
    error = editing.unusable_edit(InvalidPrimer("invalid primer", "--unconstrained", "K:G\nAB]", "bar too short"))
    assert error.message == "the edited piece is invalid: bar too short (line 2, column 3)"
    assert error.hint == "press e to correct it"
    rejected = RejectedPiece("bar too long", "", "line 6, column 5")
    assert editing.invalid_edit(None, None, rejected).message.endswith("invalid: bar too long (line 6, column 5)")


def test_an_edit_that_is_too_large(terminal, editor, monkeypatch):
    monkeypatch.setattr(editing, "MAX_TEXT_BYTES", 20)
    editor("text *= 3")
    assert editing.edit(terminal[1], "CDEF|\n", ".abc") == "CDEF|\n" * 3
    with pytest.raises(ComposerError, match="the edited piece is larger than"):
        editing.edit(terminal[1], "CDEFG|\n", ".abc")


def test_playing(run, monkeypatch):
    install(monkeypatch, Output())
    played = []
    monkeypatch.setattr("composer.cli.play.session.play_tunes", lambda _, tunes, __: played.append([*tunes]))
    run("p2p91p0q", "--play", "--port", NAME, *LONG)
    assert [tunes[0].piece.name for tunes in played[:2]] == ["continuation 2", "the piece so far"]
    assert len(played) == 3
    assert all(tunes[0].score.is_audible for tunes in played)


def test_nothing_chosen(terminal, tmp_path, checkpoint):
    os.write(terminal[0], b"q")
    assert main(["gen", "abc", "-c", str(checkpoint), "--choose", "2", "-o", str(tmp_path / "x.abc")], terminal[1]) == 1
    assert not (tmp_path / "x.abc").exists()


def test_an_interruption_keeps_the_piece(run, monkeypatch):
    from composer.cli.choose import session

    pressed, shown = iter("12"), {}
    monkeypatch.setattr(
        session.DraftView, "show", lambda _, draft, __, key, ___: shown.setdefault(key, []).append(draft)
    )
    monkeypatch.setattr(session._Session, "_read_key", lambda *_: next(pressed, None) or interrupt())

    def interrupt():
        raise KeyboardInterrupt

    choices = run("", *LONG, code=130).choices
    assert choices[0] == 1
    assert choices == [*shown["2"][1].choices]


def test_refused(composer, checkpoint, terminal, tunes):
    composer("gen", "abc", "-c", checkpoint, "--choose", "4").failed("--choose needs a terminal", code=2)
    for options in (("--count", "2"), ("--candidates", "2"), ("--temp", "0.5..1"), ("--max-copy", "9"), ("--resume",)):
        said = composer("gen", "abc", "-c", checkpoint, "--choose", "4", *options)
        said.failed(f"--choose and {options[0]}", "cannot be used together", code=2)
    composer("gen", "abc", "--choose", "10").failed("invalid value for --choose: '10'", "use 2 to 9", code=2)
    assert main(["gen", "grid", "--choose", "2"], terminal[1]) == 2
    assert main(["gen", "abc", "--choose", "2", "--prime", str(tunes), "--keep-bars", "1"], terminal[1]) == 2


@pytest.mark.parametrize(("sparse", "offered"), [({1, 2}, 3), (set(range(99)), 1)])
def test_phrases_with_few_notes_are_offered_last(sparse, offered):
    session = SimpleNamespace(
        stages=[_Stage(Draft())],
        continuations=SimpleNamespace(option=lambda _, number: Draft((number,))),
        _is_sparse=lambda option: option.steps[0] in sparse,
    )
    assert _Session._new_option(session).steps == (offered,)


@pytest.mark.parametrize(("rep", "name"), [("grid", "tune.abc"), ("pianoroll", "tune.mid"), ("abc", "tune.abc")])
def test_a_piece_with_fewer_bars_than_asked_for_says_so(run, monkeypatch, rep, name):
    said = []
    monkeypatch.setattr("composer.cli.console.Console.say", lambda _, text: said.append(text))
    tune = run("1q", "--bars", "16", rep=rep, name=name)
    (score,) = read_playable(Source(Path(name), data=tune.data))
    bars = count_written_bars(score)
    assert bars < 16
    assert f"finished with {bars} of 16 bars" in said
    said.clear()
    run("1q", rep=rep, name=name)
    run("1" * 16 + "q", "--bars", "4", rep=rep, name=name)
    assert not any("finished with" in text for text in said)
