"""The options `--family` and `--hardware`, which mean the same for every command."""

from argparse import Namespace

from breakeven.config.study import Study
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean


def require_known(chosen: Namespace, study: Study) -> None:
    """Raise a `UserError` if the study lacks the family or the hardware of the command line."""
    for name, existing in (("family", study.families), ("hardware", study.hardware)):
        value = getattr(chosen, name, None)
        if value and value not in existing:
            raise UserError(f"--{name} {value}: {did_you_mean(value, existing)}")
