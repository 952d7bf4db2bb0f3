"""The training curves of the study's models: a chart for each family, and one for all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.plugins.tasks.base import PERCENT, at_start, figure_text, metric_words
from breakeven.report.vega import MAX_LINES, Chart, Point, lines, series, spec, tips

WHOLE_EPOCHS = alt.Axis(format="d", tickMinStep=1)


@dataclass(frozen=True)
class ChartGroup:
    """Charts that stand together on the page."""

    name: str  # in links and in names of files
    title: str
    charts: list[Chart]


def charts_of(cards: Sequence[ModelManifest]) -> list[Chart]:
    """Return the score on the validation split by epoch, a line for each model of a family."""
    families = dict.fromkeys(card.family for card in cards if card.history)
    return [
        _chart(name, [card for card in cards if card.family == name and card.history]) for name in families
    ]


def _chart(family: str, cards: Sequence[ModelManifest]) -> Chart:
    shown = cards[:MAX_LINES]
    metric, unit = cards[0].metric, cards[0].unit
    times = 100 if unit == PERCENT else 1
    data = [
        {
            **{"variant": card.recipe, "epoch": _number(epoch)},
            **{f"{part}_score": times * epoch[f"{part}_{metric}"] for part in ("val", "train")},
            **{"val_loss": epoch["val_loss"], "train_loss": epoch["train_loss"]},
        }
        for card in shown
        for epoch in card.history
    ]
    figures = dict.fromkeys(("val_score", "train_score"), ".4g")
    losses = dict.fromkeys(("val_loss", "train_loss"), ".4g")
    chart = lines(
        alt.X("epoch:Q", axis=WHOLE_EPOCHS, scale=alt.Scale(nice=False)),
        alt.Y("val_score:Q", scale=_scale(unit), title=f"validation {_with_unit(metric, unit)}"),
        [card.recipe for card in shown],
        tips("variant", "epoch", **figures, **losses),
    )
    ends = "; ".join(
        f"{card.recipe} ended at {figure_text(card.history[-1][f'val_{metric}'], unit)}" for card in shown
    )
    left_out = f" Not shown: {len(cards) - len(shown)} more." if len(cards) > len(shown) else ""
    return Chart(
        family,
        f"Training of {family}",
        f"{at_start(metric_words(metric))} on the validation split after each epoch, a line for each "
        f"compression.{left_out}",
        data,
        spec(chart, 240),
        summary=ends,
    )


def training(cards: Iterable[ModelManifest]) -> Chart:
    """Return the score on the validation split after each epoch, a line for each trained model.

    Scores in percent share one chart. Where a study has others, only those of the first metric are drawn.
    """
    cards = [card for card in cards if card.history]
    metric, unit = (cards[0].metric, cards[0].unit) if cards else ("accuracy", PERCENT)
    data: list[Point] = [
        {
            "model": f"{card.family}/{card.recipe}",
            "epoch": _number(epoch),
            "score": (100 if unit == PERCENT else 1) * epoch[f"val_{metric}"],
        }
        for card in cards
        if card.metric == metric
        for epoch in card.history
    ]
    names = list(dict.fromkeys(point["model"] for point in data))
    base = alt.Chart(alt.NamedData("table")).encode(
        x=alt.X("epoch:Q", axis=WHOLE_EPOCHS),
        y=alt.Y("score:Q", scale=alt.Scale(zero=False), title=_with_unit(metric, unit)),
        color=series("model", names),
    )
    marks = base.mark_point(filled=True, size=32, opacity=1).encode(tooltip=tips("model", score=".4g"))
    return Chart(
        "training",
        f"{at_start(metric_words(metric))} on the validation split",
        "After each epoch. A compressed model starts with the weights of the uncompressed one.",
        data,
        spec(alt.layer(base.mark_line(), marks), 280),
    )


def _scale(unit: str) -> alt.Scale:
    return alt.Scale(zero=False, domainMax=100) if unit == PERCENT else alt.Scale(zero=False)


def _with_unit(metric: str, unit: str) -> str:
    return ", ".join(filter(None, [metric_words(metric), unit]))


def _number(epoch: Mapping[str, float]) -> int:
    """Return the number of an epoch, counted from 1."""
    return int(epoch["epoch"]) + 1
