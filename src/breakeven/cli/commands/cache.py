"""List what was made and is kept, say why something is not found, or prune."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven cache why family=cnn family.model.width=8"


def arguments(parser: ArgumentParser) -> None:
    """Add the action and its options."""
    parser.add_argument(
        "action", choices=["list", "why", "prune"], nargs="?", default="list", help="default: list"
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="why: of a job, as breakeven-sweep's"
    )
    parser.add_argument("--days", type=float, default=30.0, help="prune: what was not used for so long (30)")


def run(chosen: Namespace) -> None:
    """List, explain or prune the cache."""
    from breakeven.cli import cache_table

    if chosen.action == "list":
        cache_table.show()
    elif chosen.action == "prune":
        cache_table.prune(chosen.days)
    else:
        cache_table.explain(chosen.overrides)
