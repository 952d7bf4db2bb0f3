"""The training curves of the study's models, a chart for each family."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.report.vega import MAX_LINES, Chart, lines, spec, tips


@dataclass(frozen=True)
class ChartGroup:
    """Charts that stand together on the page."""

    name: str  # in links and in names of files
    title: str
    charts: list[Chart]


def charts_of(cards: Sequence[ModelManifest]) -> list[Chart]:
    """Return the accuracy on the validation images by epoch, a line for each model of a family."""
    families = dict.fromkeys(card.family for card in cards if card.history)
    return [
        _chart(name, [card for card in cards if card.family == name and card.history]) for name in families
    ]


def _chart(family: str, cards: Sequence[ModelManifest]) -> Chart:
    shown = cards[:MAX_LINES]
    data = [
        {
            **{"variant": card.recipe, "epoch": int(epoch["epoch"]) + 1},
            **{"val_accuracy": 100 * epoch["val_accuracy"], "train_accuracy": 100 * epoch["train_accuracy"]},
            **{"val_loss": epoch["val_loss"], "train_loss": epoch["train_loss"]},
        }
        for card in shown
        for epoch in card.history
    ]
    figures = dict.fromkeys(("val_accuracy", "train_accuracy"), ".2f")
    losses = dict.fromkeys(("val_loss", "train_loss"), ".4g")
    chart = lines(
        alt.X("epoch:Q", axis=alt.Axis(format="d", tickMinStep=1), scale=alt.Scale(nice=False)),
        alt.Y("val_accuracy:Q", scale=alt.Scale(zero=False, domainMax=100), title="validation accuracy, %"),
        [card.recipe for card in shown],
        tips("variant", "epoch", **figures, **losses),
    )
    ends = "; ".join(
        f"{card.recipe} ended at {100 * card.history[-1]['val_accuracy']:.1f}%" for card in shown
    )
    left_out = f" Not shown: {len(cards) - len(shown)} more." if len(cards) > len(shown) else ""
    return Chart(
        family,
        f"Training of {family}",
        f"Accuracy on the validation images after each epoch, a line for each compression.{left_out}",
        data,
        spec(chart, 240),
        summary=ends,
    )
