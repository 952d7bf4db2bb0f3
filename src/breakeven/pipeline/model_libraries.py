"""The modules that the models of a family need besides torch."""

from collections.abc import Iterable

from breakeven.artifacts.model_manifest import read_card
from breakeven.core import paths
from breakeven.core.source_digest import packages


def libraries(family: str, recipes: Iterable[str]) -> list[str]:
    """Return the modules that a family's models need besides torch, so that one process imports them."""
    cards = [read_card(paths.model(family, recipe)) for recipe in recipes]
    pruned = ["breakeven.artifacts.pruning_library"] if any(card.pruning for card in cards) else []
    return [*pruned, *(name for card in cards for name in packages(str(card.model.get("_target_"))))]
