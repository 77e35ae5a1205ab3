"""Following trainings, with a small process in place of the program."""

import json
import sys

import pytest
from quality.stages import Stage
from quality.training import trainings
from quality.training.store import Store, Trained, chain
from quality.training.trainings import INTERRUPTED, Failed, Limits, complaint, follow, resumed, trained

STARTED = {"event": "started", "phase": "train"}
UPDATED = {"event": "updated", "update": 1}


def validated(step, value):
    return {"event": "validated", "update": step, "reported": value}


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path)
    found.begin_curve("key", -1)
    return found


@pytest.fixture
def program(monkeypatch):
    """Replace the program by a script."""

    def stand_in(*events, then=""):
        lines = "".join(f"print({json.dumps(event)!r}, flush=True)\n" for event in events)
        ended = f"except KeyboardInterrupt:\n    sys.exit({INTERRUPTED})"
        script = f"import sys, threading\ntry:\n{indented(lines + then)}{ended}"
        monkeypatch.setattr(trainings, "process", lambda arguments: [sys.executable, "-c", script])

    return stand_in


def indented(text):
    return "".join(f"    {line}\n" for line in text.splitlines())


def test_validations_have_the_time_of_the_training(program, store):
    program(STARTED, UPDATED, validated(10, 2.5), UPDATED, validated(20, 2.0))
    follow([], "key", 100.0, store, None)
    points = store.curve("key")
    assert [(point.step, point.value) for point in points] == [(10, 2.5), (20, 2.0)]
    assert 100 <= points[0].seconds <= points[1].seconds


def test_validations_of_another_phase_are_dropped(program, store):
    program(STARTED, validated(10, 0.1), STARTED, validated(20, 2.0))
    follow([], "key", 0.0, store, None)
    assert [point.step for point in store.curve("key")] == [20]


def test_a_training_can_save_at_its_time_limit(program, store):
    program(STARTED, UPDATED, then="threading.Event().wait(60)")
    follow([], "key", 10.0, store, 5.0)


def test_errors_are_those_of_the_program(program, store):
    program(STARTED, then="print('error: no such thing', file=sys.stderr); sys.exit(1)")
    with pytest.raises(Failed, match="error: no such thing"):
        follow([], "key", 0.0, store, None)


def test_a_training_stopped_from_outside_failed(program, store):
    program(STARTED, then=f"sys.exit({INTERRUPTED})")
    with pytest.raises(Failed):
        follow([], "key", 0.0, store, None)


def test_resume_arguments():
    assert resumed(["train", "abc", "x", "--lr", "0.1"]) == ["train", "abc", "--resume"]


def test_trainings_after_a_continued_one_are_done_again(store, monkeypatch):
    stage = Stage("two", ("composer train abc x", "composer train abc x --from $BEFORE"))
    done = []

    def train(command, seed, key, before, store, data, most):
        done.append((key, store.trained(keys[1]) is not None))
        reason = "interrupted" if key == keys[0] and most == 10 else "done"
        store.keep_trained(key, Trained(command, seed, 5, most, 5, 1.0, "bits", reason))

    monkeypatch.setattr(trainings, "_train", train)
    keys = chain(stage, 0)
    assert trained(stage, 0, store, Limits("data", 10)) == keys[1]
    trained(stage, 0, store, Limits("data", 10))
    assert done == [(keys[0], False), (keys[1], False)]
    trained(stage, 0, store, Limits("data", 20))
    assert done[2:] == [(keys[0], False), (keys[1], False)]


def test_complaint():
    assert complaint("warning: a\nerror: b\nhint: c\n") == "error: b"
    assert complaint("Traceback\nKeyError: 1\n") == "KeyError: 1"
    assert complaint("") == "it ended without a message"
