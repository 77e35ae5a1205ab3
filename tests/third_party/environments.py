"""Environments in which plugin packages are installed, and programs that run there."""

import os
import socket
import subprocess
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def run(*command, cwd=None, **environment):
    """Run a command, and show its output if it fails."""
    settings = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=settings, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def new_environment(folder):
    """Make an environment, which has this one's packages too. Return its interpreter."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    outer = sysconfig.get_path("purelib")
    (Path(site) / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")
    return python


def in_two_processes(python, home, *command):
    """Run a command of the program as a group of two processes, as a launcher such as torchrun does."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = asked.getsockname()[1]
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "COMPOSER_HOME": str(home)}
    with ThreadPoolExecutor() as pool:
        started = [
            pool.submit(run, python, "-m", "composer", *command, cwd=home, RANK=str(rank), **group) for rank in (0, 1)
        ]
    main, other = (each.result() for each in started)
    assert not other.stderr
    return main
