"""`gen --prime` with complete tunes: how they are continued, and that several equal pieces are refused."""

import pytest

TUNE = "X:1\nT:Mine\nR:reel\nM:4/4\nL:1/8\nK:G\n{}G2BG dGBG|A2AB c2AG|G2BG dGBG|A2FA {}\n"
FINISHED, PICKUP, REPEATED = TUNE.format("", "G4|]"), TUNE.format("D2|", "G2|]"), TUNE.format("|:", "G4:|")
OPEN = TUNE.format("", "G4|")


@pytest.fixture
def gen(composer):
    """Run `gen abc` with the bundled model on a primer."""

    def run(primer, *arguments):
        options = ("--prime", "-", "--seed", "1", "--no-provenance")
        return composer("gen", "abc", *options, *arguments, stdin=primer.encode())

    return run


@pytest.mark.parametrize("tune", [FINISHED, PICKUP])
def test_more_bars_continue_a_finished_tune(gen, tune):
    result = gen(tune, "--bars", "8")
    begun = tune[tune.index("K:") :].rstrip("]\n")
    assert begun in result.out, result.err
    assert result.out.count("|]") == 1
    assert len(result.out) > len(tune) + 40
    assert "dropped the final `|]`" in result.err


@pytest.mark.parametrize("tune", [FINISHED, PICKUP, REPEATED, OPEN])
def test_fewer_bars_than_the_primer_has_are_refused(gen, tune):
    gen(tune, "--bars", "3").failed("--bars 3 contradicts the primer, which has 4 bars", "use --bars 12")


def test_a_primer_of_all_the_bars_is_completed(gen):
    assert gen(OPEN, "--bars", "4").out.endswith("A2FA G4|]\n\n")


@pytest.mark.parametrize("tune", [FINISHED, PICKUP])
def test_a_primer_that_ends_with_a_double_bar_line_may_be_the_whole_tune(gen, tune):
    result = gen(tune.replace("|]", "||"), "--bars", "4")
    assert result.out.rstrip() == tune.rstrip()
    assert "changed the final `||` to `|]`" in result.err
    gen(tune.replace("|]", "||"), "--bars", "3").failed("which has 4 bars", "use --bars 12")


@pytest.mark.parametrize(
    ("tune", "options"),
    [
        (FINISHED, ("--count", "10", "-o", "variations/")),
        (FINISHED, ("--candidates", "3", "-o", "tune.abc")),
        (REPEATED, ("--count", "3", "--bars", "4", "-o", "variations/")),
    ],
)
def test_equal_pieces_are_refused_before_any_is_written(gen, tmp_path, monkeypatch, tune, options):
    monkeypatch.chdir(tmp_path)
    gen(tune, *options).failed("the primer is a complete piece", "--bars 12", "--keep-bars 1", code=2)
    assert not [*tmp_path.iterdir()]


def test_a_complete_primer_alone_is_returned_with_a_warning(gen):
    result = gen(FINISHED)
    assert result.out.endswith("A2FA G4|]\n\n")
    assert "so nothing was added; use --bars 12 to continue it" in result.err
