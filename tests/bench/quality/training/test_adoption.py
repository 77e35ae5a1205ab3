"""Models that were trained elsewhere are taken in if they were trained as a stage says."""

from dataclasses import replace

import pytest
from quality.stages import Stage
from quality.training.adoption import adopt
from quality.training.store import Store, chain

from composer.api import UsageError

SIZES = "--set hidden=4 --set embedding=4 --set layers=1 --set dropout=0.5 --set seq_length=8 --batch-size 1 --lr 0.01"
STAGE = Stage(
    "poems",
    (
        f"composer train text poems.txt --valid held.txt --model lstm {SIZES} --max-updates 1",
        "composer train text poems.txt --valid held.txt --from $BEFORE --set patience=0 --max-updates 1",
    ),
)


@pytest.fixture
def trained(composer, tmp_path, monkeypatch):
    """Return the files of both trainings, with seed 3."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poems.txt").write_text("O rose, thou art sick!\n")
    (tmp_path / "held.txt").write_text("The sick rose\n")
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for command, path in zip(STAGE.train, files, strict=True):
        arguments = command.replace("$BEFORE", str(files[0])).split()[1:]
        done = composer(*arguments, "--seed", "3", "--name", path.stem, "--output", path)
        assert done.code == 0, done.err
    return files


def test_a_model_trained_as_a_stage_says_is_not_trained_again(trained, tmp_path):
    store = Store(tmp_path / "home")
    adopt(STAGE, 3, trained, store)
    assert store.seeds(STAGE) == [3]
    last = store.trained(chain(STAGE, 3)[-1])
    assert (last.steps, last.seed, last.unit) == (1, 3, "bits per character")
    assert store.model(chain(STAGE, 3)[-1]).read_bytes() == trained[1].read_bytes()

    first, second = STAGE.train
    for seed, files, commands, said in (
        (4, trained, STAGE.train, "trained with seed 3, not 4"),
        (3, trained[:1], STAGE.train, "has 2 trainings, not 1"),
        (3, trained, (first.replace("0.01", "0.02"), second), "trained with --lr 0.01, not 0.02"),
        (3, trained, (first.replace("hidden=4", "hidden=5"), second), "trained with hidden 4, not 5"),
        (3, trained, (f"{first} --augment", second), "trained with --augment False, not True"),
        (3, trained[:1] * 2, STAGE.train, "trained with --from None, not "),
    ):
        with pytest.raises(UsageError, match=said):
            adopt(replace(STAGE, train=commands), seed, files, store)
    assert store.seeds(STAGE) == [3]
