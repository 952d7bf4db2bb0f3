"""The chart of the models' accuracy while they were trained."""

from collections.abc import Iterable

import altair as alt

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.report.vega import Chart, Point, series, spec, tips


def training(cards: Iterable[ModelManifest]) -> Chart:
    """Return the accuracy on the validation split after each epoch, a line for each trained model."""
    data: list[Point] = [
        {
            "model": f"{card.family}/{card.recipe}",
            "epoch": int(epoch["epoch"]) + 1,
            "accuracy": 100 * epoch["val_accuracy"],
        }
        for card in cards
        for epoch in card.history
    ]
    names = list(dict.fromkeys(point["model"] for point in data))
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("epoch:Q", axis=alt.Axis(tickMinStep=1, format="d")),
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
