"""The check that no two parts of a study share a stage, a folder or a file."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import product

from breakeven.core.errors import UserError

NAME = re.compile(r"\w[\w.+-]*")  # what names a stage, a folder and a file at once
UNCOMPRESSED = "none"  # the folder of the model that no recipe has changed


def require_distinct_stages(names: Mapping[str, Collection[str]]) -> None:
    """Check the keys of a study's sections, from which names of stages, folders and files are made.

    DVC would keep one of two stages with the same name, and drop the other without a word.

    Args:
        names: section -> its keys; "families", "compressions" and "hardware" are among the sections.

    Raises:
        UserError: a name cannot be part of a stage's name, or two pairs of names would be one stage.
    """
    for section, keys in names.items():
        for name in keys:
            if not NAME.fullmatch(name):
                raise UserError(
                    f"{section}.{name}: this name should consist of letters, digits and . _ + - only, and "
                    "begin with a letter or a digit."
                )
    families = names["families"]
    if UNCOMPRESSED in names["compressions"]:
        raise UserError(
            f"compressions.{UNCOMPRESSED}: this is the name of the uncompressed model: choose another one."
        )
    _require_distinct("compress", product(families, names["compressions"]), "compressions")
    _require_distinct("benchmark", product(families, names["hardware"]), "hardware")


def _require_distinct(stage: str, pairs: Iterable[tuple[str, str]], section: str) -> None:
    owners: dict[str, tuple[str, str]] = {}
    for family, other in pairs:
        name = f"{stage}@{family}-{other}"
        if name in owners:
            first, second = owners[name]
            raise UserError(
                f"families.{first} with {section}.{second} and families.{family} with {section}.{other} "
                f"would be one stage, {name}: rename one of them."
            )
        owners[name] = family, other
