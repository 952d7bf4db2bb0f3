"""A table of the user's own, CSV or Parquet: some columns are to be predicted from the others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from breakeven.artifacts.dataset import Digests, Images
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.plugins.datasets.base import Dataset, RawDataset


class Table(Dataset):
    """Takes each column that is neither a target nor left out as a feature."""

    path: str = Field(
        description="the .csv or .parquet file, below data/raw, $BREAKEVEN_DATA or the project, or absolute"
    )
    targets: list[str] = Field(min_length=1, description="the columns to predict")
    kind: Literal["numbers", "classes"] = Field("numbers", description="what the target columns hold")
    leave_out: list[str] = Field(default_factory=list, description="columns that are no features")

    def facts(self) -> dict[str, int]:
        """Return how many numbers are predicted; only reading tells the rest."""
        return {"classes": len(self.targets)} if self.kind == "numbers" else {}

    def source(self, roots: Sequence[Path]) -> Path:
        """Return the file.

        Raises:
            UserError: it is below none of `roots`.
        """
        return self.own_path(self.path, roots, "table", Path.is_file)

    def digests(self, roots: Sequence[Path]) -> Digests:
        """Return the sha256 of the file."""
        source = self.source(roots)
        return {source.name: digest_of(source)}

    def read(self, roots: Sequence[Path]) -> RawDataset:
        """Return the features, (N, F) float32, and the targets: (N,) or (N, K) float32; classes (N,) int64.

        Raises:
            UserError: the file cannot be read, a column is missing, or holds texts or gaps.
        """
        source = self.source(roots)
        table = _read(source)
        if missing := [name for name in (*self.targets, *self.leave_out) if name not in table]:
            raise UserError(f"{source}: has no column {missing[0]!r}. Its columns: {', '.join(table)}.")
        chosen = [name for name in table if name not in (*self.targets, *self.leave_out)]
        if not chosen:
            raise UserError(f"{source}: no column is left as a feature.")
        features = np.stack([_numbers(source, name, table[name]) for name in chosen], axis=1)
        if self.kind == "numbers":
            targets = np.stack([_numbers(source, name, table[name]) for name in self.targets], axis=1)
            # One number stands in no column of its own, as in other datasets.
            return RawDataset(
                Images(features, targets.squeeze(1) if len(self.targets) == 1 else targets),
                None,
                self.targets,
            )
        if len(self.targets) > 1:
            raise UserError(f"{self.title}: kind=classes takes one target column, not {len(self.targets)}.")
        column = table[self.targets[0]]
        gaps = sum(str(value) in ("", "None", "nan") for value in column.tolist())
        if gaps:
            raise UserError(
                f"{source}: {gaps} of {len(column)} values of the column {self.targets[0]} are missing: fill "
                "them, or leave these rows out."
            )
        names, labels = np.unique(column.astype(str), return_inverse=True)
        return RawDataset(Images(features, labels.astype(np.int64)), None, names.tolist())


def _read(source: Path) -> dict[str, NDArray[Any]]:
    """Return the columns of a file by name."""
    from pyarrow import ArrowException, csv, parquet

    try:
        table = parquet.read_table(source) if source.suffix == ".parquet" else csv.read_csv(source)
    except (ArrowException, OSError) as error:
        reason = (str(error).splitlines() or [""])[0].rstrip(".")
        raise UserError(f"{source}: cannot be read as {source.suffix[1:] or 'csv'} ({reason}).") from None
    return {name: table[name].to_numpy() for name in table.column_names}


def _numbers(source: Path, name: str, column: NDArray[Any]) -> NDArray[np.float32]:
    """Return a column as float32.

    Raises:
        UserError: it holds texts, or values are missing.
    """
    try:
        numbers = column.astype(np.float32)
    except (TypeError, ValueError):
        raise UserError(
            f"{source}: the column {name} holds no numbers: turn it into numbers, or add it to `leave_out`."
        ) from None
    if gaps := int((~np.isfinite(numbers)).sum()):
        raise UserError(
            f"{source}: {gaps} of {len(numbers)} values of the column {name} are missing or not finite: fill "
            f"them, or add it to `leave_out`."
        )
    return numbers
