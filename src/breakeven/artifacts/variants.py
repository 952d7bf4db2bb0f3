"""The variants of a family on disk."""

from pathlib import Path

from breakeven.artifacts import artifact
from breakeven.artifacts.artifact import BASELINE, MANIFEST, Artifact
from breakeven.core import paths
from breakeven.core.errors import UserError


def read_variants(family: str, root: Path = Path()) -> dict[str, tuple[Path, Artifact]]:
    """Return variant -> folder and manifest of every artifact of a family, the baseline first.

    Args:
        family: the name of the family.
        root: the folder that holds the pipeline's outputs.

    Raises:
        UserError: the family has no baseline yet.
    """
    folders = [
        card.parent
        for stage in ("export", "quantize")
        for card in sorted((root / paths.artifacts(stage, family)).glob(f"*/{MANIFEST}"))
    ]
    cards = {card.variant: (folder, card) for folder in folders for card in [artifact.read(folder)]}
    if BASELINE not in cards:
        raise UserError(f"{family}: there are no artifacts of it yet: run `dvc repro`.")
    return {BASELINE: cards[BASELINE], **cards}
