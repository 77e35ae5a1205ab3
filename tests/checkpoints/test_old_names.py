"""Options of checkpoints made by earlier versions."""

from composer.checkpoints.old_names import current_options


def test_an_option_that_is_not_recorded_keeps_its_former_default():
    assert current_options("grid", {"step": "1/8"}) == {"step": "1/8", "offgrid": "refuse"}
    assert current_options("text", {}) == {"line_numbers": "keep"}
    assert current_options("pianoroll", {"steps": 4}) == {"steps": 4}


def test_a_recorded_option_is_kept():
    assert current_options("grid", {"offgrid": "round"}) == {"offgrid": "round"}


def test_the_option_conditions_is_dropped():
    assert current_options("abc", {"text": "raw", "conditions": ["rhythm"]}) == {"text": "raw"}
