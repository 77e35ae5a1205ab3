"""`composer gen`: generate music."""

from typing import TYPE_CHECKING

from composer.api import UsageError
from composer.cli.control_flags import ControlCommand
from composer.cli.gen.options import GenOptions

if TYPE_CHECKING:
    from composer.cli.console import Console


def gen(console: "Console", options: GenOptions) -> None:
    """Generate music with a trained model.

    The piece goes to stdout or to --output, and messages go to stderr. Music is the best of three candidates by form,
    or of two in pianoroll. If a piece of grid or pianoroll does not close on the tonic, its last two bars are generated
    again (--ending-tries). Tunes with --candidates 1, and text, are printed character by character as they are
    generated.
    `composer gen REP --help` also lists the controls of a representation, such as --key and --bars. To generate
    numbered files with several processes, run it under torchrun.

    With --choose 4, you choose each phrase from four continuations: a line of a tune, else four bars. They are shown
    as notation and as piano rolls; a small terminal gets outlines of the melody instead. Press a number to take one, m
    for four more, p to play, u to undo, e to edit the piece so far in $EDITOR, and q to keep it. `composer replay`
    reproduces the choices.
    """
    from composer.system.threads import default_to_one_thread

    default_to_one_thread()
    from composer.cli.gen.listening import opened_sound, overheard, play_pieces, say_how_to_listen
    from composer.cli.gen.plan import planned
    from composer.cli.gen.run import generate_pieces
    from composer.distributed import environment

    process = environment.from_environment()
    console.quiet = options.quiet or not process.is_main
    for flag, given in (("--play", options.play), ("--choose", options.choose is not None)):
        if given and not process.is_single:
            hint = f"leave out {flag}, or run without torchrun"
            raise UsageError(f"{flag} does not work with several processes", hint, flags=(flag,))
    if options.choose is not None:
        from composer.cli.choose.session import check_terminal, choose

        check_terminal(console)
    with opened_sound(options) as sound:
        with planned(options, console, process) as silent:
            plan, kept = overheard(silent) if sound is not None else (silent, None)
            if options.choose is not None:
                choose(console, plan, sound)
            else:
                generate_pieces(plan)
        if sound is not None and kept is not None:
            play_pieces(console, plan, kept.pieces.values(), sound)
        else:
            say_how_to_listen(console, plan)


def make_command(summary: str) -> ControlCommand:
    """Return the command for the parser."""
    return ControlCommand("gen", gen, GenOptions, summary)
