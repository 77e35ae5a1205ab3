"""Plugins are loaded by name, and broken ones do not end the program."""

import sys
from textwrap import dedent

import pytest

from composer.api import PairingError, PluginError, Representation, Source, StepKind
from composer.registry import plugins as registry

MODEL = """
    from composer.api import StepKind, Model, hookimpl

    class Bigram(Model):
        api, name, summary, accepts = {api}, "{name}", "one step back", frozenset({{StepKind.FRAMES}})

        def network(self, spec, config):
            raise AssertionError("not asked for")

    @hookimpl
    def composer_model():
        return Bigram
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Create a distribution with one plugin, as pip installs it."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(plugin, code, distribution="markov-music", module=None):
        module = module or plugin.replace("-", "_") + "_plugin"
        (tmp_path / f"{module}.py").write_text(dedent(code))
        monkeypatch.delitem(sys.modules, module, raising=False)
        info = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[composer]\n{plugin} = {module}\n")
        forget()

    def forget():
        registry._plugins.cache_clear()
        registry.load.cache_clear()

    yield make
    monkeypatch.undo()
    forget()


def test_built_in_plugins():
    assert issubclass(registry.representation("abc"), Representation)
    assert registry.model("lstm").name == "lstm"
    found = {loaded.plugin.name: loaded.plugin.distribution for loaded in registry.load_all()}
    assert found["lstm"].startswith("composer-cli ")


def test_third_party_plugin(install):
    install("bigram", MODEL.format(api=1, name="bigram"))
    assert registry.model("bigram").summary == "one step back"


def test_only_the_named_plugin_is_imported(install):
    install("boom", "raise RuntimeError('imported')")
    assert registry.model("lstm").name == "lstm"
    assert "boom_plugin" not in sys.modules


def test_unknown_name():
    with pytest.raises(PluginError, match="unknown model 'lstn'") as caught:
        registry.model("lstn")
    assert "`lstm`" in caught.value.hint
    with pytest.raises(PluginError) as caught:
        registry.representation("zzzzzz")
    assert "abc" in caught.value.hint


def test_a_model_is_no_representation():
    with pytest.raises(PluginError, match="unknown representation 'lstm'"):
        registry.representation("lstm")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no libfoo')", "RuntimeError: no libfoo"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("x = 1", "its hooks return nothing"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        (MODEL.format(api=99, name="broken"), "needs API version 99"),
        (MODEL.format(api=1, name="other"), "its hooks return `other`, not `broken`"),
        (MODEL.format(api="None", name="broken"), "has no API version"),
        ("from composer.api import hookimpl\n@hookimpl\ndef composer_model():\n    return 7", "returned 7"),
        ("from composer.api import hookimpl\n@hookimpl\ndef composer_modle():\n    return 7", "composer_modle"),
    ],
)
def test_broken_plugins_are_warnings(install, code, reason):
    install("broken", code)
    warnings = []
    names = [loaded.plugin.name for loaded in registry.load_all(warnings.append)]
    assert "lstm" in names
    assert "broken" not in names
    assert len(warnings) == 1
    assert "markov-music 1.2" in warnings[0]
    assert reason in warnings[0]


def test_strict_mode(install, monkeypatch):
    install("broken", "raise RuntimeError('no libfoo')")
    monkeypatch.setenv(registry.STRICT_VARIABLE, "1")
    with pytest.raises(PluginError, match="no libfoo"):
        list(registry.load_all())


def test_two_plugins_with_one_name(install):
    install("bigram", MODEL.format(api=1, name="bigram"))
    install("bigram", MODEL.format(api=1, name="bigram"), distribution="other-music", module="other_plugin")
    with pytest.raises(PluginError, match=r"markov-music 1.2 and other-music 1.2 both have a plugin called `bigram`"):
        registry.model("bigram")
    warnings = []
    names = {loaded.plugin.name for loaded in registry.load_all(warnings.append)}
    assert {"abc", "lstm", "bigram"} <= names
    assert len(warnings) == 1


def test_plugins_of_one_name_are_reachable_by_their_distribution(install):
    install("bigram", MODEL.format(api=1, name="bigram"))
    install("bigram", MODEL.format(api=1, name="bigram"), distribution="other-music", module="other_plugin")
    assert registry.model("other-music:bigram").name == "other-music:bigram"
    assert registry.distribution("markov-music:bigram") == "markov-music 1.2"


def test_a_built_in_plugin_wins(install):
    install("lstm", MODEL.format(api=1, name="lstm"))
    assert registry.distribution("lstm").startswith("composer-cli ")
    assert StepKind.TOKENS in registry.model("lstm").accepts
    assert registry.model("markov-music:lstm").summary == "one step back"
    assert "markov-music:lstm" in registry.plugin_names()


def test_a_plugin_can_be_named_with_its_distribution(install):
    install("bigram", MODEL.format(api=1, name="bigram"))
    assert registry.model("markov-music:bigram").name == "bigram"


def test_a_pair_that_does_not_work(install):
    install("bigram", MODEL.format(api=1, name="bigram"))
    with pytest.raises(PairingError, match="`bigram` is for frames, but `abc` has tokens") as caught:
        registry.check_pair(registry.representation("abc"), registry.model("bigram"))
    assert "--model lstm" in caught.value.hint
    assert registry.default_model(registry.representation("abc")).name == "lstm"


def test_sources_are_text_whatever_their_encoding():
    assert Source(path=None, data="Ré\r\nMi".encode("latin-1")).text() == "Ré\nMi"
    assert Source(path=None, data="\ufeffRé".encode()).text() == "Ré"
    assert Source(path=None, data="Mitchell’s “Ré”".encode("cp1252")).text() == "Mitchell’s “Ré”"
    assert Source(path=None, data=b"R\xe9 \x81").text() == "Ré \x81"
    assert StepKind("tokens") is StepKind.TOKENS
