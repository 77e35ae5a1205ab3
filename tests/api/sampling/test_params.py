"""Sampling parameters of a run: ranges, temperatures, and the parameters per row."""

import numpy as np
import pytest

from composer.api import OptionError
from composer.api.sampling.filters import BatchSamplingParams
from composer.api.sampling.params import UNIFORM, SamplingParams, TemperatureRamp, parse_temperature


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("0.8", 0.8),
        ("inf", UNIFORM),
        ("0.6..1.2", TemperatureRamp(0.6, 1.2)),
        ("2..1/40", TemperatureRamp(2.0, 1.0, 40)),
    ],
)
def test_temperatures(text, value):
    assert parse_temperature(text) == value
    assert parse_temperature(str(value)) == value


@pytest.mark.parametrize("text", ["-inf", "nan", "0..inf", "inf..1", "1e31", "infinity"])
def test_only_inf_itself_is_infinite(text):
    with pytest.raises(OptionError, match="invalid value for --temp"):
        parse_temperature(text)


@pytest.mark.parametrize("values", [{"top_k": -1}, {"top_p": 0.0}, {"top_p": 2}, {"min_p": 1.5}, {"temperature": -1}])
def test_values_out_of_range(values):
    with pytest.raises(OptionError, match=r"invalid value for --(top-k|top-p|min-p|temp)"):
        SamplingParams(**values)


def test_ramp_over_a_piece():
    assert TemperatureRamp(1, 2).over(30).steps == 30
    assert TemperatureRamp(1, 2, 5).over(30).steps == 5
    assert TemperatureRamp(1, 2).over(0).steps == 1


def test_every_parameter_reaches_the_rows():
    params = BatchSamplingParams.from_params(SamplingParams(TemperatureRamp(0.5, 2, 9), 4, 0.9, 0.01), 3)
    assert params.temperature.tolist() == [0.5] * 3
    assert params.top_k.tolist() == [4] * 3
    assert np.allclose(params.top_p, 0.9)
    assert np.allclose(params.min_p, 0.01)
