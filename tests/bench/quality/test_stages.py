"""Declarations: every file is valid, and errors in others are named."""

import subprocess
import sys

import pytest

from composer.training import presets
from quality import stages
from quality.training.store import chain

STAGE = """
[[stage]]
name = "two steps"
train = ["composer train abc x --lr 0.003", "composer train abc x --from $BEFORE"]
measure = "composer eval abc x"
also = { "as one text" = "composer eval abc x --stream" }
"""


TRAIN = 'train = ["composer train abc x"]'


def plan(tmp_path, text):
    path = tmp_path / "some.toml"
    path.write_text(text)
    return stages.read([path])


def test_the_files_of_the_benchmark_are_valid():
    found = stages.read()
    assert len(found.tasks) == 11
    assert all(any(stage.task == task.name for stage in found.models) for task in found.tasks if not task.race)
    assert all(stage.measure for stage in found.models)


def test_a_stage_is_its_trainings_and_measures(tmp_path):
    (stage,) = plan(tmp_path, STAGE).models
    assert len(stage.train) == 2
    assert list(stage.measures) == ["", "as one text"]


def test_each_change_of_an_ablation_is_a_stage(tmp_path):
    text = """
    [[ablation]]
    name = "abc"
    title = "tunes"
    base = "composer train abc x --set layers=2"
    changes = { one = "--set layers=1", augment = "--augment" }
    """
    found = {stage.name: stage.train[0] for stage in plan(tmp_path, text).stages()}
    assert found == {
        "abc/base": "composer train abc x --set layers=2",
        "abc/one": "composer train abc x --set layers=1",
        "abc/augment": "composer train abc x --set layers=2 --augment",
    }


def test_stages_are_named_one_by_one_or_by_what_they_belong_to():
    found = stages.read()
    assert [stage.name for stage in found.named(["abc/base"])] == ["abc/base"]
    assert {stage.name.partition("/")[0] for stage in found.named(["time-to-quality"])} == {"time-to-quality"}
    assert [stage.name for stage in found.named(["erk"])] == ["erk-attention"]
    assert len(found.named([])) == len(list(found.stages()))
    with pytest.raises(ValueError, match="unknown stage `elsewhere`"):
        found.named(["elsewhere"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[stages]]\nname = "a"', "unknown table `stages`"),
        ('[[stage]]\nname = "a"\ntrain = []\nnonsense = 1', "a: unknown key `nonsense`"),
        ('[[stage]]\nname = "a"\ntrain = ["composer eval abc x"]', "is not a training command"),
        ('[[stage]]\nname = "a"\ntrain = ["composer train abc x --from $BEFORE"]', "BEFORE in the first training"),
        (f'[[stage]]\nname = "a"\n{TRAIN}\nmeasure = "composer gen abc"', "is not an eval command"),
        (f'[[stage]]\nname = "a"\n{TRAIN}\ntask = "b"', "unknown task `b`"),
        (f'[[stage]]\nname = "a"\n{TRAIN}\n' * 2, "two stages have the name `a`"),
        ('[[race]]\nname = "a"', "some.toml, a: "),
        ('[[stage]]\nname = "a"\ntrain = []', "`train` has no commands"),
        ('[[stage]]\nname = "a"\ntrain = "composer train abc x"', "`train` is not a list of strings"),
        (f'[[stage]]\nname = "a"\n{TRAIN}\nseconds = 0', "`seconds` must be positive, not 0"),
        ('[[task]]\nname = "a"\nat_least = "x"', "`at_least` is not a number"),
        ('[[task]]\nname = "a"\naim = nan', "`aim` is not a number"),
        ('[[ablation]]\nname = "a"\ntried = { one = 1 }', "`tried` is not a table of strings"),
        ('[[stage]]\nname = "a"\ntrain = ["composer train abc x --preset none"]', "unknown preset 'none'"),
    ],
)
def test_errors_are_named(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        plan(tmp_path, text)


def test_keys_are_of_the_commands_before_and_of_the_seed(tmp_path):
    (stage,) = plan(tmp_path, STAGE).models
    (other,) = plan(tmp_path, STAGE.replace("0.003", "0.002")).models
    (broken,) = plan(tmp_path, STAGE.replace(" --lr", "\\n --lr")).models
    (longer,) = plan(tmp_path, STAGE.replace("--from $BEFORE", "--from $BEFORE --augment")).models
    assert chain(stage, 1) == chain(broken, 1)
    assert not set(chain(stage, 1)) & set(chain(stage, 2))
    assert not set(chain(stage, 1)) & set(chain(other, 1))
    assert chain(stage, 1)[0] == chain(longer, 1)[0]
    assert chain(stage, 1)[1] != chain(longer, 1)[1]


def test_a_changed_preset_is_another_training(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    preset = tmp_path / "mine.toml"
    text = 'summary = "s"\nrepresentation = "abc"\nmodel = "lstm"\ncommand = "c"\ngen_command = "p"\n'
    preset.write_text(text)
    (stage,) = plan(tmp_path, STAGE.replace("--lr 0.003", "--preset mine")).models
    (other,) = plan(tmp_path, STAGE).models
    before, others = chain(stage, 0), chain(other, 0)
    preset.write_text(text + "[training]\nbatch = 3\n")
    assert not set(chain(stage, 0)) & set(before)
    assert chain(other, 0) == others
    preset.write_text(text)
    assert chain(stage, 0) == before


@pytest.mark.parametrize("seed", ["--seed 3", "--seed=3", "--set seed=3", "--set=seed=3"])
def test_a_training_must_not_set_a_seed(tmp_path, seed):
    with pytest.raises(ValueError, match="must not set a seed"):
        plan(tmp_path, STAGE.replace("--lr 0.003", seed))


def test_the_program_names_its_stages(tmp_path):
    path = tmp_path / "some.toml"
    path.write_text(STAGE)
    asked = [sys.executable, "-m", "quality", str(tmp_path), "--list", "--home", str(tmp_path), "--stages", str(path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=stages.FILES[0].parent.parent)
    assert done.stdout.split() == ["two", "steps", "to", "do"]
