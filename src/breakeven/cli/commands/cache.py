"""List what the cache keeps, say why it lacks something, or prune it."""

import math
from argparse import ArgumentParser, Namespace

from breakeven.core.errors import UserError

GROUP = "house-keeping"
EXAMPLE = "breakeven cache why family=cnn family.model.width=8"
DAYS = 30.0


def arguments(parser: ArgumentParser) -> None:
    """Add the action and its options."""
    parser.add_argument(
        "action", choices=["list", "why", "prune"], nargs="?", default="list", help="default: list"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="why: of a job, as breakeven-sweep's"
    )
    parser.add_argument("--days", type=float, help="prune: what was not used for so long (30)")
    parser.add_argument("--dry-run", action="store_true", help="prune: print what would be removed, only")


def run(chosen: Namespace) -> None:
    """List, explain or prune the cache.

    Raises:
        UserError: an option or an override belongs to another action, or the days are negative.
    """
    from breakeven.cli import cache_table

    if chosen.action != "why" and chosen.overrides:
        raise UserError(
            f"cache {chosen.action} takes no overrides such as {chosen.overrides[0]}: it is about all jobs."
        )
    if chosen.action != "prune" and (chosen.dry_run or chosen.days is not None):
        raise UserError(f"cache {chosen.action} takes neither --days nor --dry-run: they belong to prune.")
    if chosen.action == "list":
        cache_table.show()
    elif chosen.action == "prune":
        days = DAYS if chosen.days is None else chosen.days
        if not 0 <= days < math.inf:
            raise UserError(f"--days {days:g}: should be a number that is not negative.")
        cache_table.prune(days, chosen.dry_run)
    else:
        cache_table.explain(chosen.overrides)
