"""The training curves of a family are one chart with a line for each of its models."""

from dataclasses import replace

from model_cards import UNTRAINED as CARD

from breakeven.report import training_charts

EPOCHS = [
    {"epoch": n, "val_accuracy": 0.5 + 0.1 * n, "train_accuracy": 0.6, "val_loss": 1.0, "train_loss": 0.9}
    for n in range(3)
]


def test_the_models_of_a_family_share_a_chart_and_what_was_not_trained_has_none() -> None:
    cards = [
        replace(CARD, history=EPOCHS),
        replace(CARD, recipe="prune50", history=EPOCHS[:2]),
        replace(CARD, family="other", made="checkpoint"),
    ]
    (chart,) = training_charts.charts_of(cards)
    lines = [(point["variant"], point["epoch"], round(point["val_score"])) for point in chart.data]
    assert lines == [
        ("none", 1, 50),
        ("none", 2, 60),
        ("none", 3, 70),
        ("prune50", 1, 50),
        ("prune50", 2, 60),
    ]
    assert chart.description == "Training of cnn. none ended at 70.00%; prune50 ended at 60.00%"
