"""Limits on input, and the variable that raises them."""

import io
from pathlib import Path

import pytest

from composer.api import OptionError, ReadError, Source
from composer.api.limits import limit_hint, raised, read_up_to


def test_the_variable_multiplies_limits(monkeypatch):
    assert raised(100) == 100
    monkeypatch.setenv("COMPOSER_LIMITS", "3")
    assert raised(100) == 300


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "1001", "9" * 50, "00001000000", "\u0663"])
def test_an_invalid_value_is_named(monkeypatch, value):
    monkeypatch.setenv("COMPOSER_LIMITS", value)
    with pytest.raises(OptionError, match="invalid value for COMPOSER_LIMITS"):
        raised(1)


def test_the_hint_has_the_factor_that_is_needed(monkeypatch):
    assert "COMPOSER_LIMITS=2 " in limit_hint("split it")
    assert "COMPOSER_LIMITS=5 " in limit_hint("split it", 401, 100)
    monkeypatch.setenv("COMPOSER_LIMITS", "4")
    assert "COMPOSER_LIMITS=8 " in limit_hint("split it")
    assert limit_hint("split it", 10**9) == "split it"


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 200_000])
def test_streams_are_read_up_to_the_limit(size):
    class Slow(io.BytesIO):
        def read(self, count=-1):
            assert count >= 0
            return super().read(min(count, 700))

    data = bytes(range(256)) * 1000
    assert read_up_to(Slow(data[:size]), 1000) == data[: min(size, 1001)]


def test_a_source_over_the_limit_names_it_and_the_variable(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * ((1 << 20) + 1))
    source = Source(path, limit=1 << 20)
    for read in (source.bytes, source.text, lambda: list(source.lines())):
        with pytest.raises(ReadError, match=r"a.txt is larger than 1 MB") as caught:
            read()
        assert "COMPOSER_LIMITS=2" in caught.value.hint
    monkeypatch.setenv("COMPOSER_LIMITS", "2")
    assert len(source.bytes()) == (1 << 20) + 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no devices on this system")
def test_a_device_is_read_up_to_the_limit():
    source = Source(Path("/dev/zero"), limit=1 << 20)
    for read in (source.bytes, source.text, lambda: list(source.lines())):
        with pytest.raises(ReadError, match="larger than 1 MB"):
            read()
