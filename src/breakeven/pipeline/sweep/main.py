"""The command `breakeven-sweep`: it runs one job for each combination of choices, through Hydra."""

import os
import shutil
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import hydra
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from breakeven import __version__
from breakeven.config import compose
from breakeven.config.composition_errors import override_fault
from breakeven.config.credentials import require_no_credentials_in
from breakeven.core import interrupts, paths
from breakeven.core.errors import UserError
from breakeven.core.format import wrapped
from breakeven.core.machine_errors import machine_fault
from breakeven.core.secrets import hide_in_output
from breakeven.pipeline.sweep.job_overrides import CONFIG_NAME, as_typed, for_each_job, jobs_of_command
from breakeven.pipeline.sweep.job_task import run_task

NOTHING_ASKED = (
    "name what to vary, as in `breakeven-sweep family=cnn,resnet18`, or a study of sweeps, as in "
    "`breakeven-sweep study=scaling`; `breakeven-sweep --help` lists the choices."
)
INTERRUPTED_EXIT_CODE = 130  # exit code
HELP_WIDTH = 100  # columns, at most
GROUPS = ("family", "compression", "runtime", "quantization", "hardware", "study")  # what a job chooses
# Hydra's options that take a value, and Hydra's options that print something instead of running the sweep
HYDRA_VALUE_OPTIONS: tuple[tuple[str, ...], ...] = (
    ("--package", "-p"),
    ("--config-path", "-cp"),
    ("--config-name", "-cn"),
    ("--config-dir", "-cd"),
)
HYDRA_PRINT_OPTIONS: tuple[tuple[str, ...], ...] = (
    ("--shell-completion", "-sc"),
    ("--hydra-help",),
    ("--version",),
)


def main() -> None:
    """Run the sweep that the command line asks for."""
    if not paths.CONF.is_dir():
        sys.exit(f"breakeven: there is no folder {paths.CONF} here: run this where dvc.yaml is.")
    paths.import_from_here()
    os.environ.setdefault(paths.HOME_VARIABLE, str(Path.cwd()))
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # otherwise Hydra ends the process with its own message
    overrides: Sequence[str] = ()
    hide_in_output()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(number, _terminate)
    try:
        if len(sys.argv) == 1:
            raise UserError(NOTHING_ASKED)
        overrides, options = hydra_arguments(sys.argv[1:])
        require_no_credentials_in(overrides)  # Hydra writes them into files
        sys.argv[1:] = [*overrides, *options]
        OmegaConf.register_new_resolver("choices_of_a_job", list_choices, replace=True)
        hydra.main(str(paths.CONF.resolve()), CONFIG_NAME, version_base="1.3")(run_task)()
    except UserError as error:
        sys.exit(f"breakeven: {error}")
    except KeyboardInterrupt:
        print("breakeven: interrupted; run the same command to go on.", file=sys.stderr)
        sys.exit(INTERRUPTED_EXIT_CODE)
    except Exception as error:
        if fault := machine_fault(error):
            sys.exit(f"breakeven: {fault}, then run the same command to go on.")
        if not compose.is_of_composition(error):
            raise
        typed = [as_typed(override) for override in overrides]
        sys.exit(f"breakeven: {_explain(error, typed)}")


def _explain(error: Exception, overrides: Sequence[str]) -> str:
    try:
        return compose.explain(error, overrides, paths.CONF, CONFIG_NAME)
    except UserError as cause:  # what is wrong with the choices alone
        return str(cause)


def list_choices() -> str:
    """Return the groups whose options a sweep can choose, with their options, for the help."""
    with compose.initialized(paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        groups = {group: loader.get_group_options(group) for group in (*GROUPS, "hydra/launcher")}
    width = min(shutil.get_terminal_size().columns, HELP_WIDTH)
    return "\n".join(
        wrapped(", ".join(sorted(options)), width, f"  {group:15} ", " " * 18)
        for group, options in groups.items()
    )


def _terminate(number: int, frame: FrameType | None) -> None:
    """End the sweep, so that it cancels what it has submitted."""
    print("breakeven: ended by a signal; run the same command to go on.", file=sys.stderr)
    raise interrupts.Terminated(128 + number)


def hydra_arguments(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the overrides and the options that Hydra gets for this command line.

    `--cfg` and `--help` show the first job. Everything else runs with `-m`: without it, Hydra would report a
    comma in a list of choices instead of a wrong key.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    for names in HYDRA_VALUE_OPTIONS:
        parser.add_argument(*names)
    for names in (*HYDRA_PRINT_OPTIONS, ("--resolve",), ("--run", "-r"), ("--multirun", "-m")):
        parser.add_argument(*names, action="store_true")
    parser.add_argument("--cfg", "-c")
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--info", "-i", nargs="?", const="all")
    chosen, _ = parser.parse_known_intermixed_args(words)
    overrides: list[str] = chosen.overrides
    if chosen.version:
        print(f"breakeven-sweep {__version__}")
        sys.exit()
    if fault := override_fault(overrides, paths.CONF):
        raise UserError(fault)
    options = [word for word in words if word not in {*overrides, "-m", "--multirun", "-r", "--run"}]
    if chosen.cfg or chosen.help:
        return next(iter(jobs_of_command(overrides)), overrides), options
    if chosen.info or chosen.shell_completion or chosen.hydra_help or chosen.version:
        return overrides, options
    return for_each_job(overrides), [*options, "-m"]


if __name__ == "__main__":
    import importlib

    # Imported by its name, not as `__main__`, so that launchers can unpickle the task.
    importlib.import_module("breakeven.pipeline.sweep.main").main()
