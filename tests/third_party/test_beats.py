"""A package with plugins of every kind, installed with pip: listed, checked, trained, generated with."""

import pytest
from third_party.environments import run

TUNES = "X:1\nT:One\nR:reel\nM:4/4\nL:1/8\nK:G\n|:GABc d2cB|A2F2 G4:|\n\n" * 3
BEATS = "".join(f"{'x..x..x.' * n}{'x.' * n}\n" for n in range(1, 9))


def test_listing_warns_about_a_broken_plugin(python):
    result = run(python, "-m", "composer", "plugins")
    for name in ("beats", "bigram", "abc", "lstm"):
        assert name in result.stdout
    assert "composer-beats 0.3" in result.stdout
    warnings = [line for line in result.stderr.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert "composer-broken 1.0" in warnings[0]


def test_listing_by_kind(session, tmp_path):
    *listed, beats = session(
        tmp_path, *(("plugins", kind) for kind in ("formats", "presets", "rankings", "checks", "beats"))
    )
    lines = [line for result in listed for line in result.out.splitlines()]
    for name in ("pitches", "quick-beats", "busy"):
        assert any(line.split()[0] == name and "composer-beats 0.3" in line for line in lines)
    assert any("few notes, and line ends of Windows" in line for line in lines)
    assert "preset quick-beats" in beats.out


def test_composer_plugins_check(session, tmp_path):
    (tmp_path / "beats.txt").write_text("x..x..x.\nx.x.\nhello\n")
    names = (("pitches",), ("busy",), ("bigram",), ("beats", "beats.txt"))
    results = session(tmp_path, *(("plugins", "check", *name) for name in names))
    checked = "".join(result.out for result in results)
    assert "passed  file format pitches: written and read\n" in checked
    assert "passed  check pitches: 0 problems in samples\n" in checked
    assert "passed  ranking busy: 4 notes\n" in checked
    for result in results[2:]:
        assert "passed  " in result.out
        assert "failed" not in result.out


def test_pretrained_model_is_the_default_for_its_representation(session, tmp_path):
    first, second, shown = session(
        tmp_path,
        ("gen", "beats", "--seed", 2),
        ("gen", "beats", "-c", "small-beats", "--seed", 2),
        ("show", "small-beats"),
    )
    assert set(first.out) == {"x", ".", "\n"}
    assert first.out == second.out
    assert "trained on eight drum patterns" in shown.out


def test_preset(session, tmp_path):
    (tmp_path / "beats.txt").write_text("".join(f"{'x..x..x.' * n}\n" for n in range(1, 9)))
    train = ("train", "beats", "beats.txt", "--preset", "quick-beats", "--name", "mine", "--seed", 1)
    (trained,) = session(tmp_path, train)
    assert "done after 30 updates" in trained.err


def test_format_and_ranking(session, tmp_path):
    """A format is written, reproduced, drawn, continued and trained on; its pieces are ranked."""
    best, replayed, shown, _, trained = session(
        tmp_path,
        ("gen", "abc", "--seed", 1, "--bars", 2, "--candidates", 3, "--rank-by", "busy", "--output", "best.pitches"),
        ("replay", "best.pitches", "--check"),
        ("show", "best.pitches"),
        ("gen", "grid", "--seed", 1, "--bars", 20, "--prime", "best.pitches", "--output", "more.pitches"),
        ("train", "pianoroll", ".", "--max-updates", 1, "--set", "hidden=4", "--name", "roll"),
    )
    assert "best 1 of 3 by busy" in best.err
    assert "best.pitches: reproduced exactly" in replayed.err
    assert " notes · " in shown.out
    begun, whole = (path.read_text().splitlines()[2].split() for path in sorted(tmp_path.glob("*.pitches")))
    assert whole[: len(begun)] == begun
    assert "2 pieces" in trained.err


def test_check(session, tmp_path):
    (tmp_path / "short.pitches").write_bytes(b"pitches 1\r\n60 62\r\n")
    (tmp_path / "tune.abc").write_text("X:1\nM:4/4\nL:1/4\nK:C\nC2E2|]\n")
    (checked,) = session(tmp_path, ("check", "."), may_fail=True)
    assert checked.code == 1
    assert checked.out.splitlines() == [
        "short.pitches: warning: only 2 notes",
        "short.pitches:1:1: warning: the lines end as on Windows",
        "tune.abc:1:1: warning: only 2 notes",
    ]


@pytest.mark.parametrize(("representation", "model"), [("beats", "bigram"), ("beats", "lstm"), ("abc", "bigram")])
def test_train_and_generate_with_built_in_plugins(session, tmp_path, representation, model):
    data = tmp_path / ("tunes.abc" if representation == "abc" else "beats.txt")
    data.write_text(TUNES if representation == "abc" else BEATS)
    settings = ["--set", "hidden=16"] if model == "lstm" else []
    train = ["train", representation, data, "--model", model, "--name", "mine", "--max-updates", 20, "--seed", 1]
    generate = ["gen", representation, "--count", 9, "--length", 100, "--seed", 3]
    _, result = session(tmp_path, [*train, *settings], generate)
    assert result.out.strip()
    assert set(result.out) <= {"x", ".", "\n"} or representation == "abc"
