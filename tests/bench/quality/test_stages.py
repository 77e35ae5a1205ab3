"""What is declared: every file can be read, its commands are commands, and what is wrong in one is named."""

import subprocess
import sys

import pytest

from quality import stages
from quality.store import chain

STAGE = """
[[stage]]
name = "two steps"
train = ["composer train abc x --lr 0.003", "composer train abc x --from $BEFORE"]
measure = "composer eval abc x"
also = { "as one text" = "composer eval abc x --stream" }
"""


def plan(tmp_path, text):
    path = tmp_path / "some.toml"
    path.write_text(text)
    return stages.read([path])


def test_what_is_declared_beside_this_can_be_read():
    found = stages.read()
    assert len(found.tasks) == 9
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
    with pytest.raises(ValueError, match="no stage `elsewhere`"):
        found.named(["elsewhere"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[stages]]\nname = "a"', "there are no tables `stages`"),
        ('[[stage]]\nname = "a"\ntrain = []\nnonsense = 1', "a: there is no `nonsense`"),
        ('[[stage]]\nname = "a"\ntrain = ["composer eval abc x"]', "trains nothing"),
        ('[[stage]]\nname = "a"\ntrain = ["composer train abc x --from $BEFORE"]', "no training before its first"),
        ('[[stage]]\nname = "a"\ntrain = []\nmeasure = "composer gen abc"', "measures nothing"),
        ('[[stage]]\nname = "a"\ntrain = []\ntask = "b"', "no task `b`"),
        ('[[stage]]\nname = "a"\ntrain = []\n[[stage]]\nname = "a"\ntrain = []', "two stages are called `a`"),
        ('[[race]]\nname = "a"', "some.toml, a: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, said):
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


def test_the_program_names_its_stages(tmp_path):
    path = tmp_path / "some.toml"
    path.write_text(STAGE)
    asked = [sys.executable, "-m", "quality", str(tmp_path), "--list", "--home", str(tmp_path), "--stages", str(path)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=stages.FILES[0].parent.parent)
    assert done.stdout.split() == ["two", "steps", "to", "do"]
