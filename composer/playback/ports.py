"""MIDI ports by name, through mido and python-rtmidi."""

from __future__ import annotations

from typing import Any

from composer.api import ComposerError

EXTRA_HINT = "pip install 'composer-cli[live]'"
_NO_PORT = "no MIDI port is there; connect a device or start a software synthesizer"
_THROUGH = "Midi Through"
"""The port that Linux always has."""


def open_output(name: str) -> Any:
    """Return the output port whose name is, or alone contains, `name`. Raises ComposerError."""
    import mido

    return _open(name, port_names("output"), mido.open_output, "output")


def open_input(name: str) -> Any:
    """Return the input port whose name is, or alone contains, `name`. Raises ComposerError."""
    import mido

    return _open(name, port_names("input"), mido.open_input, "input")


def port_names(kind: str) -> list[str]:
    """Return the names of `output` or `input` ports. Raises ComposerError without a MIDI system or python-rtmidi."""
    import mido

    try:
        return list(mido.get_output_names() if kind == "output" else mido.get_input_names())
    except ImportError as error:
        raise ComposerError("MIDI ports need python-rtmidi, which is not installed", EXTRA_HINT) from error
    except Exception as error:  # whatever the backend raises
        raise ComposerError(
            f"cannot list MIDI ports: {_reason(error)}", "leave out --port to play with the programs of this machine"
        ) from error


def only_output() -> str:
    """Return the name of the only output port, besides one that merely passes messages on. Raises ComposerError."""
    names = [each for each in dict.fromkeys(port_names("output")) if not each.startswith(_THROUGH)]
    if len(names) == 1:
        return names[0]
    problem = f"several MIDI ports: {_quoted(names)}" if names else "no MIDI port"
    raise ComposerError(problem, "choose one with --port" if names else _NO_PORT)


def check_present(port: Any, name: str, kind: str = "output") -> None:
    """Raise ComposerError if the device of an open port is gone: sending to it would not fail."""
    client = getattr(port, "_rt", None)  # python-rtmidi's
    if client is not None and port.name not in client.get_ports():
        raise lost_port(name, LookupError("it is gone"), kind)


def lost_port(name: str, error: Exception, kind: str = "output") -> ComposerError:
    """Return the error for a port that was open and fails."""
    return ComposerError(f"MIDI port '{name}' failed: {_reason(error)}", _ports_hint(kind))


def _open(name: str, names: list[str], opener: Any, kind: str) -> Any:
    found = [each for each in names if each == name] or [each for each in names if name.lower() in each.lower()]
    if len(set(found)) != 1:
        problem = f"several MIDI {kind} ports match '{name}'" if found else f"no MIDI {kind} port '{name}'"
        raise ComposerError(problem, _hint(found or names))
    try:
        return opener(found[0])
    except Exception as error:  # whatever the backend raises
        raise ComposerError(f"cannot open MIDI port '{found[0]}': {_reason(error)}", _hint(names)) from error


def _ports_hint(kind: str) -> str:
    try:
        return _hint(port_names(kind))
    except ComposerError as error:
        return error.hint or ""


def _hint(names: list[str]) -> str:
    return f"ports: {_quoted(names)}" if names else _NO_PORT


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{each}'" for each in names)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
