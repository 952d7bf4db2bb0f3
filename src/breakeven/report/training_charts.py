"""The training curves of the study's models: a chart for each family, and one for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.report.vega import MAX_LINES, Chart, Point, lines, series, spec, tips

WHOLE_EPOCHS = alt.Axis(format="d", tickMinStep=1)


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
            **{"variant": card.recipe, "epoch": _number(epoch)},
            **{"val_accuracy": 100 * epoch["val_accuracy"], "train_accuracy": 100 * epoch["train_accuracy"]},
            **{"val_loss": epoch["val_loss"], "train_loss": epoch["train_loss"]},
        }
        for card in shown
        for epoch in card.history
    ]
    figures = dict.fromkeys(("val_accuracy", "train_accuracy"), ".2f")
    losses = dict.fromkeys(("val_loss", "train_loss"), ".4g")
    chart = lines(
        alt.X("epoch:Q", axis=WHOLE_EPOCHS, scale=alt.Scale(nice=False)),
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


def training(cards: Iterable[ModelManifest]) -> Chart:
    """Return the accuracy on the validation split after each epoch, a line for each trained model."""
    data: list[Point] = [
        {
            "model": f"{card.family}/{card.recipe}",
            "epoch": _number(epoch),
            "accuracy": 100 * epoch["val_accuracy"],
        }
        for card in cards
        for epoch in card.history
    ]
    names = list(dict.fromkeys(point["model"] for point in data))
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("epoch:Q", axis=WHOLE_EPOCHS),
        y=alt.Y("accuracy:Q", scale=alt.Scale(zero=False), title="accuracy, %"),
        color=series("model", names),
    )
    marks = base.mark_point(filled=True, size=32, opacity=1).encode(tooltip=tips("model", accuracy=".2f"))
    return Chart(
        "training",
        "Accuracy on the validation split",
        "After each epoch. A compressed model starts with the weights of the uncompressed one.",
        data,
        spec(alt.layer(base.mark_line(), marks), 280),
    )


def _number(epoch: Mapping[str, float]) -> int:
    """Return the number of an epoch, counted from 1."""
    return int(epoch["epoch"]) + 1
