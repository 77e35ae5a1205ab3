"""Errors of the user in options, primers and files: one line, a hint and the exit code."""

import os
import shlex

import pytest

from composer.system import device


@pytest.fixture
def gen(composer, checkpoint):
    return lambda *arguments, **terminal: composer("gen", "abc", "--checkpoint", checkpoint, *arguments, **terminal)


class TestCommandLine:
    def test_unknown_command(self, composer):
        composer("gne").failed("unknown command 'gne'", "did you mean: composer gen", code=2)

    def test_representation_instead_of_a_command(self, composer):
        composer("abc").failed("did you mean: composer gen abc", code=2)

    def test_unknown_option(self, composer):
        composer("gen", "abc", "--tmep", "1").failed("unknown option --tmep", "did you mean --temp?", code=2)
        composer("jam", "abc", "--input", "x").failed("unknown option --input", "did you mean --in?", code=2)

    def test_a_file_that_looks_like_an_option(self, composer, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "-dash one.abc").touch()
        composer("show", "-dash one.abc").failed("unknown option -d", "write './-dash one.abc'", code=2)
        composer("show", "-dash.abc").failed("unknown option -d", code=2)

    @pytest.mark.parametrize(
        "words",
        [
            ("gen", "abc"), ("show", "FILE"), ("play", "FILE"), ("open", "FILE"), ("convert", "FILE"),
            ("harmonize", "FILE"), ("replay", "FILE"), ("map", "FILE"),
        ],
    )  # fmt: skip
    def test_an_empty_output(self, composer, tunes, words):
        given = [tunes if word == "FILE" else word for word in words]
        done = composer(*given, "--output", "")
        done.failed("the file name of --output is empty", "leave out --output, or add a file name", code=2)
        assert done.err.count("\n") == 2

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("gen", "--checkpoint", ""), "the name of --checkpoint is empty"),
            (("gen", "abc", "--checkpoint", ""), "the name of --checkpoint is empty"),
            (("gen", "abc", "--prime", ""), "the file name of --prime is empty"),
            (("train", "abc", "FILE", "--split", ""), "the file name of --split is empty"),
            (("models", "export", "abc", ""), "the file name FILE is empty"),
            (("models", "import", ""), "the file name FILE is empty"),
            (("replay", ""), "the file name FILE is empty"),
        ],
    )
    def test_other_empty_names(self, composer, words, error):
        composer(*words).failed(error, code=2)

    def test_short_option_in_the_other_case(self, composer):
        composer("gen", "abc", "-O", "t.mid").failed("unknown option -O", "did you mean -o or --output?", code=2)
        wrong = composer("train", "abc", "-o", "text=raw")
        wrong.failed("invalid value for --output: 'text=raw'", "use -O text=raw", code=2)

    def test_gen_alone_lists_the_representations(self, composer):
        result = composer("gen")
        assert (result.code, result.data) == (2, b"")
        assert all(f"\n  {name} " in result.err for name in ("abc", "grid", "pianoroll", "text"))
        assert result.err.endswith("Example: composer gen abc\n")

    @pytest.mark.parametrize("columns", [60, 40])
    def test_the_list_of_representations_fits_a_terminal(self, composer, columns):
        wide = composer("gen").err
        shown = composer("gen", terminal=True, COLUMNS=f"{columns}").err
        assert max(map(len, shown.splitlines())) <= columns
        assert shown.count("\n") > wide.count("\n")
        assert shown.split() == wide.split()

    def test_a_file_in_place_of_the_representation(self, composer, tunes, tmp_path):
        composer("gen", "tune.abc").failed("'tune.abc'", "did you mean: composer gen abc --prime tune.abc", code=2)
        composer("train", tunes.parent).failed("did you mean: composer train abc", code=2)
        composer("gen", "a b.mid").failed("'a b.mid'", "composer gen grid --prime 'a b.mid'", code=2)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("--width", "--batch-size"),
            ("--free", "--unconstrained"),
            ("--take", "--candidates"),
            ("--by", "--rank-by"),
        ],
    )
    def test_a_renamed_option(self, composer, old, new):
        composer("gen", "abc", old).failed(f"unknown option {old}", f"it is now called {new}", code=2)

    def test_a_renamed_option_of_train(self, composer):
        composer("train", "abc", "--max-steps", "2").failed("--max-steps", "it is now called --max-updates", code=2)

    def test_a_renamed_control(self, composer):
        composer("gen", "pianoroll", "--most-notes", "2").failed("--most-notes", "it is now called --max-notes", code=2)
        composer("gen", "abc", "--most-notes", "2").failed(
            "`abc` has no option --max-notes", "`composer gen pianoroll`", code=2
        )

    def test_option_without_a_value(self, composer):
        composer("gen", "abc", "--seed").failed("option --seed needs a value", "composer gen --help", code=2)

    def test_text_instead_of_a_number(self, composer):
        composer("gen", "abc", "--count", "many").failed("invalid value for --count: 'many'", "a whole number", code=2)

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--temp", "-1"),
            ("--temp", "nan"),
            ("--top-p", "2"),
            ("--top-p", "0"),
            ("--top-k", "-1"),
            ("--min-p", "1.5"),
            ("--count", "0"),
            ("--length", "0"),
            ("--length", "99999999999999999999"),
            ("--seed", "-1"),
        ],
    )
    def test_values_out_of_range(self, composer, option, value):
        composer("gen", "abc", option, value).failed(option, value, code=2)

    def test_the_range_of_a_value(self, composer):
        composer("gen", "abc", "--count", "0").failed("hint: use a whole number, 1 or more\n", code=2)
        composer("gen", "abc", "--velocity", "200").failed("hint: use a whole number from 1 to 127\n", code=2)
        composer("gen", "pianoroll", "--max-notes", "-1").failed("1 or more, or leave out --max-notes", code=2)

    def test_a_velocity_that_is_not_written(self, composer):
        short = ("gen", "abc", "--seed", "2", "--bars", "4", "--candidates", "1", "--velocity", "40")
        for form in ("abc", "musicxml"):
            said = composer(*short, "--format", form)
            said.failed(f"--velocity has no effect on `{form}`", "leave out --velocity", code=2)
        assert "--velocity" not in composer(*short, "--format", "midi").err

    @pytest.mark.parametrize(
        ("output", "other"),
        [
            (("--output", "v.abc"), "--output v.mid"),
            (("--output", "my tunes %d.abc", "--format", "abc"), "--format midi --output 'my tunes %d.mid'"),
            (("--output", "tunes/"), "--format midi"),
            (("--output", "v", "--format", "musicxml"), "--format midi"),
        ],
    )
    def test_the_hint_to_another_format_works(self, composer, tmp_path, monkeypatch, output, other):
        monkeypatch.chdir(tmp_path)
        short = ("gen", "abc", "--seed", "2", "--bars", "4", "--candidates", "1", "--velocity", "40")
        composer(*short, *output).failed(f"hint: use {other}, or leave out --velocity\n", code=2)
        assert composer(*short, *shlex.split(other), *(output[:2] if "--output" not in other else ())).code == 0

    def test_a_soundfont_that_is_not_used(self, composer, tmp_path):
        (tmp_path / "a.abc").write_text("X:1\nK:C\nCDEF|\n")
        said = composer("convert", tmp_path / "a.abc", "--to", "midi", "--soundfont", "none")
        said.failed("--soundfont has no effect on `midi`", "use --to wav, or leave out --soundfont", code=2)

    @pytest.mark.parametrize(
        ("representation", "option"),
        [
            ("abc", "--bars"), ("grid", "--bars"),
            ("pianoroll", "--max-notes"), ("pianoroll", "--max-onsets"), ("pianoroll", "--max-sustained"),
        ],
    )  # fmt: skip
    def test_nothing_cannot_be_asked_for(self, composer, representation, option):
        composer("gen", representation, option, "0").failed(f"{option}: '0'", f"leave out {option}", code=2)

    def test_unknown_representation(self, composer):
        composer("gen", "abd").failed("unknown representation 'abd'", "`abc`", code=2)

    @pytest.mark.parametrize("mode", ["foo", "blues", "D dorian"])
    def test_unknown_mode(self, composer, mode):
        composer("gen", "abc", "--mode", mode).failed(f"unknown mode '{mode}'", "choose from major", code=2)

    @pytest.mark.parametrize(
        ("words", "message", "hint"),
        [
            ("gen abc --key", "option --key needs a value", "composer gen abc --help"),
            ("gen abc 8 9", "unexpected argument '8 9'", "see `composer gen abc --help`"),
            ("train", "missing argument REP", "composer train abc tunes/"),
            ("eval abc", "missing argument FILE", "for example: composer eval abc tunes/"),
            ("show", "missing argument FILE", "for example: composer show abc\n"),
            ("check", "missing argument FILE", "for example: composer gen abc | composer check -"),
            ("originality", "missing argument FILE", "for example: composer gen abc | composer originality -"),
            ("harmonize", "missing argument TUNE", "for example: composer gen abc | composer harmonize -"),
            ("replay", "missing argument FILE", "for example: composer gen abc | composer replay -"),
            ("completions", "missing argument SHELL", "for example: composer completions bash"),
        ],
    )
    def test_missing_and_extra_words(self, composer, words, message, hint):
        composer(*words.split()).failed(message, hint, code=2)

    def test_unknown_model(self, composer, tunes):
        composer("train", "abc", tunes, "--model", "lstn").failed("unknown model 'lstn'", "`lstm`", code=2)

    def test_unknown_option_of_a_representation(self, composer, tunes):
        composer("train", "abc", tunes, "-O", "txt=raw").failed("'txt'", "`text`", code=2)

    def test_unknown_setting(self, composer, tunes):
        composer("train", "abc", tunes, "--set", "hiden=3").failed("'hiden'", "`hidden`", code=2)

    def test_nade_for_tokens(self, composer, tmp_path):
        asked = ("train", "abc", tmp_path / "no-such-file.abc", "--set", "output=nade")
        composer(*asked).failed("`output=nade` needs a representation of frames", "representation of frames", code=2)

    def test_unknown_shell(self, composer):
        composer("completions", "tcsh").failed("unknown shell 'tcsh'", "bash", code=2)

    def test_unknown_format(self, gen):
        gen("--format", "mdi").failed("unknown format 'mdi'", "midi", code=2)
        gen("--format", "MIDI").failed("unknown format 'MIDI'", "did you mean `midi`", code=2)

    def test_invalid_tempo(self, gen):
        gen("--tempo", "nan").failed("tempo", "4 to 1,000", code=2)

    def test_unknown_suffix(self, gen, tmp_path):
        gen("--output", tmp_path / "tune.ogg").failed("'.ogg'", ".mid", code=2)
        assert not list(tmp_path.glob("tune*"))

    def test_two_primers(self, gen):
        gen("--prime", "a.abc", "--prime-text", "abc").failed("--prime", code=2)

    def test_unknown_condition(self, gen):
        gen("--condition", "rhythm=jig").failed("rhythm", code=2)

    def test_cuda_without_cuda(self, gen, monkeypatch):
        monkeypatch.setattr(device, "cuda_devices", lambda: 0)
        gen("--device", "cuda").failed("CUDA", "--device cpu")

    def test_unknown_device(self, gen):
        gen("--device", "tpu").failed("'tpu'", "cuda", code=2)


class TestPrimer:
    def test_unknown_symbols(self, gen):
        gen("--prime-text", "M:9/8\nL:1/8\nK:G\n|:GAB ", "--quiet").failed("9")

    def test_no_such_file(self, gen):
        gen("--prime", "gone.abc").failed("gone.abc")

    def test_invalid_utf8(self, gen):
        gen("--prime-text", b"|:GABc\xff".decode("utf-8", "surrogateescape"), "--quiet").failed("--prime-text")

    def test_primer_longer_than_the_piece(self, gen, tunes):
        gen("--prime", tunes, "--length", "5", "--quiet").failed("--length", code=2)


class TestFiles:
    def test_no_files(self, composer):
        composer("train", "abc").failed("no training data", "composer train abc", code=2)

    def test_no_such_file(self, composer, tunes):
        composer("train", "abc", tunes.with_name("tuns.abc")).failed("tuns.abc", "did you mean")

    def test_empty_file(self, composer, tmp_path):
        (tmp_path / "empty.abc").write_text("")
        composer("train", "abc", tmp_path / "empty.abc").failed("empty.abc is empty")
        composer("show", tmp_path / "empty.abc").failed("empty.abc")
        composer("harmonize", tmp_path / "empty.abc").failed("empty.abc is empty", "use a file with notes")
        composer("originality", os.devnull).failed(f"no music in {os.devnull}", "use a file with notes")

    def test_a_tune_that_is_too_long(self, composer, tmp_path):
        (tmp_path / "long.abc").write_text("X:1\nK:C\n" + "CDEFGABc|\n" * 30_000)
        result = composer("show", tmp_path / "long.abc")
        result.failed("long.abc: the tune has more than 200,000 characters", "hint: split it into several tunes")

    def test_a_learning_rate_out_of_range(self, composer, tunes):
        composer("train", "abc", tunes, "--lr", "1e30").failed("--lr: '1e+30'", "above 0, at most 1000", code=2)
        composer("train", "abc", tunes, "--set", "lr=1e30").failed("`lr`: '1e+30'", "above 0, at most 1000", code=2)

    def test_picture_named_abc(self, composer, tmp_path):
        (tmp_path / "photo.abc").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
        composer("train", "abc", tmp_path / "photo.abc").failed("photo.abc is not a text file")
        composer("show", tmp_path / "photo.abc").failed("photo.abc is not a text file")

    def test_no_notes(self, composer, tmp_path):
        (tmp_path / "silent.abc").write_text("X:1\nT:Silence\nM:4/4\nL:1/8\nK:C\nz8|z8|\n")
        composer("train", "abc", tmp_path / "silent.abc").failed("silent.abc")
        composer("show", tmp_path / "silent.abc").failed("silent.abc", "notes")

    def test_missing_piece(self, composer, tunes):
        composer("show", tunes, "--tune", "9").failed("has no piece 9")


class TestUnexpected:
    def test_internal_error(self, composer, monkeypatch):
        def broken(name):
            raise ZeroDivisionError("by nothing")

        monkeypatch.setattr("composer.registry.plugins.representation", broken)
        composer("gen", "abc").failed("ZeroDivisionError: by nothing", "--debug")

    def test_debug_prints_a_traceback(self, composer):
        result = composer("gen", "abd", "--debug")
        assert result.code == 2
        assert "Traceback" in result.err
        assert "error: unknown representation 'abd'" in result.err
        assert "Traceback" in composer("gen", "abd", COMPOSER_DEBUG="1").err
