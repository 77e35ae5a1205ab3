"""The guards that keep the promises, and for each the test that must fail without it."""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """Code without which a promise is broken: `text` in `file`, what to put in its place, and the test that notices."""

    guard: str
    file: str
    text: str
    without: str
    test: str


GUARDS = (
    Guard(
        "digest of a checkpoint",
        "composer/checkpoints/tensors.py",
        "if recorded is not None and recorded != _digest(layout, content):",
        "if False:",
        "tests/checkpoints/test_tensors.py::test_a_flipped_bit_anywhere_is_noticed",
    ),
    Guard(
        "finite weights",
        "composer/checkpoints/tensors.py",
        "if ((array.view(bits) & mask) == mask).any():",
        "if False:",
        "tests/checkpoints/test_tensors.py::test_values_that_are_not_finite",
    ),
    Guard(
        "one descriptor for a read",
        "composer/checkpoints/tensors.py",
        "content = bytearray(size)",
        "content = bytearray(size); file = path.open('rb'); file.seek(len(header))",
        "tests/checkpoints/test_tensors.py::test_a_file_that_is_replaced_while_it_is_read",
    ),
    Guard(
        "size of the file",
        "composer/checkpoints/tensors.py",
        "if os.fstat(file.fileno()).st_size != 8 + length + end:",
        "if False:",
        "tests/checkpoints/test_tensors.py::test_a_file_that_is_appended_to",
    ),
    Guard(
        "no waiting for pipes",
        "composer/checkpoints/tensors.py",
        "if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):",
        "if False:",
        "tests/checkpoints/test_tensors.py::test_a_named_pipe_is_not_waited_for",
    ),
    Guard(
        "names of plugins in a checkpoint",
        "composer/checkpoints/file.py",
        "if not all(getattr(header, name).isprintable() for name in _KINDS[str]):",
        "if False:",
        "tests/checkpoints/test_load.py::test_unusable_checkpoints",
    ),
    Guard(
        "temporary files are removed",
        "composer/system/files.py",
        "_remove_leftovers(folder)\n    while",
        "pass\n    while",
        "tests/torture/test_torture.py::test_each_stage_of_a_write",
    ),
    Guard(
        "files are written beside their place",
        "composer/system/files.py",
        "with _temporary(path.parent) as (temporary, file):",
        "temporary = path\n    with path.open('wb') as file:",
        "tests/torture/test_torture.py::test_each_stage_of_a_write",
    ),
    Guard(
        "errors in reports of training",
        "composer/cli/train/progress.py",
        "on_failure(error)",
        "raise",
        "tests/cli/train/test_signals.py::test_a_closed_pipe_stops_training_and_saves",
    ),
    Guard(
        "SIGHUP saves",
        "composer/cli/interrupts.py",
        '"SIGTERM", "SIGHUP")',
        '"SIGTERM")',
        "tests/cli/train/test_signals.py::test_sighup_saves_unless_it_is_ignored",
    ),
    Guard(
        "SIGHUP is ignored under nohup",
        "composer/cli/train/run.py",
        "if number == signal.SIGINT or _is_heeded(number)",
        "",
        "tests/cli/train/test_signals.py::test_sighup_saves_unless_it_is_ignored",
    ),
    Guard(
        "the first signal gives the exit code",
        "composer/cli/train/run.py",
        "interrupts.note(number)",
        "pass",
        "tests/cli/train/test_signals.py::test_a_second_signal_keeps_the_exit_code_of_the_first",
    ),
    Guard(
        "a second signal ends the program",
        "composer/cli/interrupts.py",
        "os._exit(exit_code())\n        else",
        "raise Interrupted\n        else",
        "tests/cli/test_interrupts.py::test_the_first_signal_gives_the_exit_code",
    ),
    Guard(
        "signals before there is a handler",
        "composer/__main__.py",
        "interrupts.end_silently()",
        "pass",
        "tests/cli/test_interrupts.py::test_a_signal_while_starting_ends_it_silently",
    ),
    Guard(
        "signals between handlers",
        "composer/__main__.py",
        "except KeyboardInterrupt:  # before",
        "except ZeroDivisionError:  #",
        "tests/cli/test_interrupts.py::test_a_signal_between_the_lines_that_report_it",
    ),
    Guard(
        "signals after the last line",
        "composer/__main__.py",
        "interrupts.exit_at_once(code)",
        "pass",
        "tests/cli/test_interrupts.py::test_a_signal_at_the_end_does_not_change_the_exit_code",
    ),
    Guard(
        "errors that libraries make of signals",
        "composer/cli/app.py",
        "if interrupts.was_raised():",
        "if False:",
        "tests/cli/test_interrupts.py::test_an_error_that_a_library_makes_of_an_interruption",
    ),
    Guard(
        "types in a checkpoint's header",
        "composer/checkpoints/record.py",
        'found = misfit(spec, SpecData, "spec") or misfit(record, ModelRecord, "record")',
        "found = None",
        "tests/checkpoints/test_damaged_headers.py",
    ),
    Guard(
        "names of all weights",
        "composer/checkpoints/network.py",
        "if own.keys() != shapes.keys() or any(",
        "if any(",
        "tests/checkpoints/test_hostile.py::test_a_network_that_is_not_in_the_file_is_never_made[one layer more]",
    ),
    Guard(
        "shapes of weights before memory is taken",
        "composer/checkpoints/network.py",
        "    check_shapes(model, spec, config, {",
        "    ({",
        "tests/checkpoints/test_hostile.py::test_a_network_that_is_not_in_the_file_is_never_made[one layer more]",
    ),
    Guard(
        "number of parts of a network",
        "composer/checkpoints/network.py",
        "if count > limit:",
        "if False:",
        "tests/checkpoints/test_hostile.py::test_a_network_that_needs_its_weights_when_it_is_made_is_stopped",
    ),
    Guard(
        "sizes of buffers",
        "composer/checkpoints/network.py",
        " or any(grown):",
        ":",
        "tests/checkpoints/test_hostile.py::test_buffers_may_grow_but_are_not_larger_at_first",
    ),
    Guard(
        "weights of a training state",
        "composer/training/resume.py",
        "check_shapes(model, header.spec, config, shapes,",
        "check_sizes(model, header, state, 1 << 40) or (",
        "tests/training/test_damaged_states.py::test_a_state_whose_network_has_more_weights",
    ),
    Guard(
        "size of a model before it is trained",
        "composer/training/trainer.py",
        "check_file_size(run.model, run.data.spec, run.config)",
        "run.model.check(run.data.spec.kind, run.config)",
        "tests/training/test_loop.py::test_a_model_that_is_too_large_for_a_file_is_not_trained",
    ),
    Guard(
        "models of any size are saved",
        "composer/training/resume.py",
        "half=True, limit=checkpoint_file.MAX_TRAINING_BYTES)",
        "half=True)",
        "tests/training/test_loop.py::test_a_model_that_grows_beyond_the_limit_is_saved",
    ),
    Guard(
        "locks of unfinished entries of the cache",
        "composer/system/cache_dir.py",
        "with _lock(temporary):",
        "if True:",
        "tests/system/test_cache_dir.py::test_what_a_killed_process_has_left_is_removed_by_the_next_one",
    ),
    Guard(
        "unfinished entries of the cache are removed",
        "composer/system/cache_dir.py",
        "        _remove_abandoned(folder.parent)\n",
        "",
        "tests/system/test_cache_dir.py::test_what_a_killed_process_has_left_is_removed_by_the_next_one",
    ),
    Guard(
        "one file and numbered files of the same name",
        "composer/cli/output/files.py",
        "for lock in _overlapping_locks(path):",
        "for lock in ():",
        "tests/cli/output/test_reserved_names.py::test_one_file_and_numbered_files_of_the_same_name",
    ),
    Guard(
        "outputs are reserved",
        "composer/cli/output/many_files.py",
        'return reserved(path.with_name(f"{path.name}.{rank}") if rank else path, self.pattern.text)',
        'return reserved(path.with_name(f".{rank}"), self.pattern.text)',
        "tests/cli/output/test_reserved_names.py::test_an_output_in_use[--force-%02d.abc-9]",
    ),
    Guard(
        "one output is reserved",
        "composer/cli/output/targets.py",
        "return reserved(self.path)",
        "return nullcontext()",
        "tests/cli/output/test_reserved_names.py::test_an_output_in_use[--force-all.abc-9]",
    ),
    Guard(
        "end symbols in primers of plugins",
        "composer/registry/guard.py",
        '"prime": _Method(check.primer),',
        '"prime": _Method(check.steps),',
        "tests/registry/test_broken_representations.py::test_a_primer_with_the_end_symbol",
    ),
    Guard(
        "errors in writing the user's files",
        "composer/cli/output/files.py",
        'raise ComposerError(f"cannot write {path}: {reason}", hint) from error',
        "raise",
        "tests/cli/test_read_only.py::test_output_on_a_read_only_disk",
    ),
    Guard(
        "errors in writing the cache",
        "composer/system/cache_dir.py",
        'raise ComposerError(\n            f"cannot write encoded',
        'raise RuntimeError(\n            f"cannot write encoded',
        "tests/data/test_dataset.py::test_a_cache_that_cannot_be_created_is_not_reported_as_a_full_disk",
    ),
)
