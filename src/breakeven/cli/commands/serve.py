"""Answer requests with a variant, and with eager where the variant fails.

It serves POST /predict (an image file, an array, or JSON), /docs to try it, /healthz, /readyz and /metrics.
"""

import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from breakeven.config.study import Study
    from breakeven.serving.served_model import ServedModel

GROUP = "deploy"
EXAMPLE = "breakeven serve cnn --variant none/int8-static/onnxruntime"


def arguments(parser: ArgumentParser) -> None:
    """Add what is served, where, and how."""
    from breakeven.cli.numbers import above_zero, not_negative, port, whole

    add = parser.add_argument
    add("family", metavar="FAMILY", help="a family of the study")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--variant", metavar="VARIANT", help="one of its variants; default: the recommended")
    which.add_argument("--alias", metavar="NAME", help="what MLflow's registry has under it: champion")
    add("--hardware", metavar="NAME", help="whose recommendation, or whose champion; default: the first")
    add("--host", default="127.0.0.1", help="the address to listen on; default: 127.0.0.1, this machine only")
    add("--port", type=port, default=8000, help="default: 8000")
    add("--workers", type=whole, default=1, metavar="N", help="processes that run the variant; default: 1")
    add("--threads", type=whole, default=1, metavar="N", help="threads of each of them; default: 1")
    add("--max-batch", type=whole, default=1, metavar="N", help="samples in a call; default: 1, no batching")
    add("--max-wait-ms", type=not_negative, default=2.0, metavar="MS", help="that a batch waits; default: 2")
    add("--time-limit-ms", type=above_zero, default=5000.0, metavar="MS", help="of a call; default: 5000")
    add("--max-side", type=whole, default=4000, metavar="PIXELS", help="of an image; default: 4000")
    add("--shrink", action="store_true", help="scale larger images down; default: refuse them")


def run(chosen: Namespace) -> int:
    """Serve until the process is told to end.

    Raises:
        UserError: there is no such variant, a setting does not fit the machine, or eager cannot be loaded.
    """
    from breakeven.cli.selection import require_known
    from breakeven.config import schema
    from breakeven.core.files import temporary_folder
    from breakeven.core.plugin import did_you_mean
    from breakeven.serving import run, usable_cores
    from breakeven.serving.service import Service
    from breakeven.serving.settings import Limits, ServiceSettings

    usable_cores.require_fits(chosen.workers, chosen.threads)
    study = schema.read_study()
    if chosen.family not in study.families:
        raise UserError(f"{chosen.family}: {did_you_mean(chosen.family, study.families)}")
    require_known(Namespace(hardware=chosen.hardware), study)
    settings = ServiceSettings(
        threads=chosen.threads,
        workers=chosen.workers,
        max_batch=chosen.max_batch,
        max_wait_ms=chosen.max_wait_ms,
        time_limit_s=chosen.time_limit_ms / 1e3,
        limits=Limits(side=chosen.max_side, oversize="shrink" if chosen.shrink else "refuse"),
    )
    with temporary_folder() as folder:
        model = _model(chosen, study, folder)
        return run.run(Service(model, settings), chosen.host, chosen.port)


def _model(chosen: Namespace, study: "Study", folder: "Path") -> "ServedModel":
    """Return the variant that the command line names, or that the results recommend."""
    from breakeven.results.deployment import variant_to_deploy
    from breakeven.serving.served_model import is_made_here, served_model

    hardware = chosen.hardware or next(iter(study.hardware))
    if chosen.alias:
        from breakeven.tracking.registered import download

        found = download(f"breakeven-{chosen.family}-{hardware}-batch1", chosen.alias, folder)
        model = served_model(study, chosen.family, found.variant, found.folder)
        if not is_made_here(model):
            print(
                f"breakeven: {chosen.alias} was made of other weights or settings than the results here: if "
                "it fails, the eager model here answers, and may answer something else.",
                file=sys.stderr,
            )
        return model
    variant = chosen.variant or variant_to_deploy(study, chosen.family, hardware, 1)
    if not variant:
        raise UserError(f"Nothing is recommended for {chosen.family} on {hardware}: name a --variant.")
    return served_model(study, chosen.family, variant)
