"""The three parts of a variant's name, in words for readers who meet them for the first time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from breakeven.config import conf_files
from breakeven.core import paths
from breakeven.results.result_row import ResultRow

PRECISIONS = {
    "fp32": "computed in 32-bit floats",
    "bf16": "computed in 16-bit floats",
    "int8-static": "computed in 8-bit integers, with ranges that were fixed on calibration images",
    "int8-dynamic": "computed in 8-bit integers, with ranges that are found at each call",
}


@dataclass(frozen=True)
class NamePart:
    """A part of a variant's name."""

    text: str
    meaning: str


def parts(row: ResultRow) -> list[NamePart]:
    """Return compression, precision and runtime of a row."""
    if "/" not in row.variant:
        return [NamePart(row.variant, "an identical copy of the baseline, which shows the noise")]
    return [
        NamePart(row.compression, _compression(row)),
        NamePart(row.precision, PRECISIONS.get(row.precision, f"computed in {row.precision}")),
        NamePart(row.runtime, _runtime(row)),
    ]


def meanings(rows: Iterable[ResultRow]) -> dict[str, list[NamePart]]:
    """Return the meaning of each part that occurs in these rows, by the kind of the part."""
    rows = list(rows)
    work = _work(rows)
    found: dict[str, dict[str, NamePart]] = {"compression": {}, "precision": {}, "runtime": {}}
    for kind, part in _all_parts(rows):
        if kind == "compression" and part.text in work:
            part = NamePart(part.text, f"{part.meaning}; it leaves {work[part.text]}")  # noqa: PLW2901
        found[kind].setdefault(part.text, part)
    return {kind: list(known.values()) for kind, known in found.items()}


def _work(rows: Iterable[ResultRow]) -> dict[str, str]:
    """Return how much of the work each compression leaves in each family, in words."""
    macs = {(row.family, row.compression): row.macs for row in rows if row.macs and "/" in row.variant}
    shares: dict[str, dict[str, str]] = {}
    for (family, compression), left in macs.items():
        whole = macs.get((family, "none"))
        if whole and compression != "none":
            shares.setdefault(compression, {})[family] = f"{left / whole:.0%} of the work"
    return {compression: _once(each) for compression, each in shares.items()}


def _once(shares: Mapping[str, str]) -> str:
    """Return the share of each family; a share that all have stands once."""
    if len(set(shares.values())) == 1:
        return next(iter(shares.values()))
    return ", ".join(f"{share} of {family}" for family, share in shares.items())


def _all_parts(rows: Iterable[ResultRow]) -> Iterator[tuple[str, NamePart]]:
    for row in rows:
        if "/" in row.variant:
            yield from zip(("compression", "precision", "runtime"), parts(row), strict=True)


def _compression(row: ResultRow) -> str:
    if row.compression == "none":
        return "not compressed"
    named = conf_files.in_short(paths.CONF, "compression", row.compression)
    return named or f"compressed as conf/compression/{row.compression}.yaml sets it"


def _runtime(row: ResultRow) -> str:
    """Return what a runtime is; a name that ends with the precision is shortened in a variant's name."""
    for name in (f"{row.runtime}_{row.precision}", row.runtime):
        if named := conf_files.in_short(paths.CONF, "runtime", name):
            return named
    return f"as conf/runtime/{row.runtime}.yaml sets it"
