"""Runs commands of the program, so that a test need not start a process for each.

Reads lines of JSON from stdin: `{"folder": "/tmp/x", "commands": [["plugins"], ...]}`. The commands run in the folder,
which is also their home. The answer is a line with a list of [exit code, stdout, stderr].
"""

import io
import json
import os
import sys

from composer.cli.app import main
from composer.cli.console import Console


def run(command):
    """Return how a command ended, and what it wrote."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code = main(command, Console(io.TextIOWrapper(io.BytesIO()), out, err, {}))
    return [int(code), *(each.buffer.getvalue().decode("utf-8", "replace") for each in (out, err))]


answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    asked = json.loads(line)
    os.chdir(asked["folder"])
    os.environ["COMPOSER_HOME"] = asked["folder"]
    print(json.dumps([run(command) for command in asked["commands"]]), file=answers, flush=True)
