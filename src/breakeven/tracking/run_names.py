"""The names of runs. They begin with the model, because lists of runs cut long names at their end."""

from collections import Counter
from collections.abc import Mapping, Sequence

from breakeven.results.limits import Limits
from breakeven.results.result_row import Cell, ResultRow, cell, title

SEPARATOR = " · "
RowId = tuple[Cell, str]


def id_of(row: ResultRow) -> RowId:
    """Return what tells a row from all others of its study."""
    return cell(row), row.variant


def of_training(family: str, recipe: str) -> str:
    """Return the name of a run that trains or compresses a model."""
    return SEPARATOR.join([family, "train" if recipe == "none" else recipe])


def of_variant(row: ResultRow, *, with_place: bool) -> str:
    """Return the name of a variant's run.

    Args:
        with_place: whether the study measured the model in several places, so that the name has to say where.
    """
    return SEPARATOR.join([row.family, row.variant, *([title(row)] if with_place else [])])


def ranks(rows: Sequence[ResultRow]) -> Mapping[RowId, int]:
    """Return the place of each row by speedup in its own cell, from 1.

    Controls, and rows without a speedup, have none.
    """
    found: dict[RowId, int] = {}
    count: Counter[Cell] = Counter()
    able = [row for row in rows if row.speedup and not row.is_twin]
    for row in sorted(able, key=lambda row: -(row.speedup or 0.0)):
        count[cell(row)] += 1
        found[id_of(row)] = count[cell(row)]
    return found


def rank_text(row: ResultRow, places: Mapping[RowId, int], limits: Limits) -> str:
    """Return a row's model and its place by speedup in words; sorted as text, the fastest comes first.

    Args:
        row: with the marks of its study.
    """
    place = places.get(id_of(row))
    if not place:
        return f"{row.family} {row.verdict}"
    of = max(other for (key, _), other in places.items() if key == cell(row))
    mark = "DEPLOY" if row.recommended else limits.in_short(row) if row.beyond_limits else ""
    if row.verdict == "baseline":
        mark = "baseline, DEPLOY" if row.recommended else "baseline"
    return f"{row.family} {place:02} of {of:02}{f', {mark}' if mark else ''}"
