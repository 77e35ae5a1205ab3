"""The program of each rank for `test_group.py`: train several times, and write the events to a file.

RANK=0 WORLD_SIZE=2 ... python two_ranks.py FOLDER
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from small_plugins import Calm, Letters

from composer.api import ComposerError
from composer.data.dataset import prepare
from composer.data.splits import SplitSettings
from composer.distributed import environment, rendezvous
from composer.training.events import Event
from composer.training.loop import train
from composer.training.run import TrainingRun
from composer.training.settings import Settings

SETTINGS = Settings(
    max_updates=12, epochs=100, batch_size=5, seq_length=16, validate_every=4, save_every=0, lr=0.01, precision="fp32"
)
SPLIT = SplitSettings(valid=0.2)
AVERAGED = replace(SETTINGS, ema=0.9)
STOPPED = 7


def stopping(update):
    """Return a `stop` that is true after so many updates."""
    calls = []
    return lambda: calls.append(1) or len(calls) >= update


def main(folder):
    """Train in several ways; write this rank's events to a file."""
    process, results = environment.from_environment(), {}
    with rendezvous.process_group(process, "cpu") as group:

        def trained(name, run, **changes):
            events: list[Event] = []
            try:
                events.extend(train(replace(run, path=folder / f"{name}.safetensors", **changes)))
            except ComposerError as error:
                results[name] = error.message
            else:
                results[name] = [event.to_json() for event in events]

        letters = Letters()
        with group.main_process_first():
            data = prepare(letters, [str(folder / "tunes")], SPLIT)
        run = TrainingRun(Calm(), Calm.Config(), letters, data, folder, SETTINGS, group=group)
        trained("whole", run)
        trained("narrow", run, settings=replace(SETTINGS, batch_size=1))
        trained("begun", run, stop=stopping(STOPPED) if process.rank == 1 else lambda: False)
        trained("handed", run, resume=True)
        trained("averaged", run, settings=AVERAGED, resume=True)
        trained("short", run, model=Calm(fits=16 if process.rank == 1 else 10_000))
        trained("strange", run, data=replace(data, encoded_digest=f"{data.encoded_digest}{process.rank}"))
        trained("unlike", run, settings=replace(SETTINGS, lr=0.1 + process.rank))
    (folder / f"rank{process.rank}.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
