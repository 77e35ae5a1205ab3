"""Run commands of the program, one after the other in one process: `python session.py '[["plugins"], ...]'`.

Prints a JSON list of [exit code, stdout, stderr].
"""

import io
import json
import sys

from composer.cli.app import main
from composer.cli.console import Console

results = []
for command in json.loads(sys.argv[1]):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code = main(command, Console(io.TextIOWrapper(io.BytesIO()), out, err, {}))
    results.append([int(code), *(each.buffer.getvalue().decode("utf-8", "replace") for each in (out, err))])
print(json.dumps(results))
