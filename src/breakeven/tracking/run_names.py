"""The names of runs. They begin with the model, because lists of runs cut long names at their end."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

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
    special = row.variant if "/" not in row.variant else ""
    parts = [special] if special else [row.runtime, row.precision, row.compression.replace("none", "")]
    return SEPARATOR.join(part for part in [row.family, *parts, title(row) if with_place else ""] if part)


def ranks(rows: Sequence[ResultRow]) -> Mapping[RowId, int]:
    """Return the place of each row by speedup in its own cell, from 1.

    Controls, and rows without a speedup, have none.
    """
    found: dict[RowId, int] = {}
    count: Counter[Cell] = Counter()
    able = [row for row in rows if row.speedup and row.verdict != "control"]
    for row in sorted(able, key=lambda row: -(row.speedup or 0.0)):
        count[cell(row)] += 1
        found[id_of(row)] = count[cell(row)]
    return found


def rank_text(row: ResultRow, places: Mapping[RowId, int], chosen: Collection[RowId]) -> str:
    """Return a row's model and its place by speedup in words.

    Sorted as text, the row to deploy comes first, then the fastest.

    Args:
        chosen: the rows to deploy, which are marked.
    """
    place = places.get(id_of(row))
    if not place:
        return f"{row.family} {row.verdict}"
    of = max(other for (key, _), other in places.items() if key == cell(row))
    rank = f"{place:02} of {of:02}"
    return f"{row.family} 00 DEPLOY, {rank}" if id_of(row) in chosen else f"{row.family} {rank}"
