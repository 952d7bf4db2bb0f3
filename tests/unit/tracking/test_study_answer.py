"""The run of a study says what to deploy; runs are named after their model."""

from dataclasses import replace

import rows

from breakeven.results.answer import answers
from breakeven.results.limits import Limits
from breakeven.tracking import run_names, study_answer, training_figures
from breakeven.tracking.run_names import id_of

FAST = rows.row("none/int8-static/onnxruntime", speedup=4.0, latency_ms_p50=0.5)
SLOW = rows.row("prune50/fp32/torchscript_frozen", speedup=2.0, latency_ms_p50=1.0)
ROWS = [rows.BASELINE, rows.TWIN, SLOW, FAST]
CELLS = list(answers([rows.benchmark(ROWS)], ROWS, Limits()))


def test_the_description_says_what_to_deploy_and_links_to_its_run() -> None:
    text = study_answer.description(CELLS, {id_of(FAST): "#/runs/fast"}, "#/report")
    assert text.startswith("### cnn on cpu1, batch 1\n\n**Deploy none/int8-static/onnxruntime: 4.00x as fast")
    assert "- **Latency:** from 2 to 0.5 ms a call (medians; the speedup is taken round by round)." in text
    figures = "4.00x | 0.5 ms | 90.00% | 4.00"
    assert f"| chosen | [none/int8-static/onnxruntime](#/runs/fast) | {figures} |  |" in text
    assert text.endswith("[The whole report](#/report)")


def test_the_headline_metrics_of_each_model_have_its_name_as_their_group() -> None:
    figures = study_answer.figures(CELLS)
    assert figures["cnn/best_speedup"] == figures["cnn/recommended_speedup"] == 4.0
    assert figures["cnn/twin_speedup"] == 1.001 and figures["variants"] == 3 and figures["warnings"] == 0
    assert study_answer.in_short(CELLS) == "cnn: 4.00x by none/int8-static/onnxruntime"


def test_names_of_runs_begin_with_the_model() -> None:
    assert run_names.of_variant(FAST, with_place=False) == "cnn · none/int8-static/onnxruntime"
    assert run_names.of_variant(SLOW, with_place=True).endswith("torchscript_frozen · cpu1, batch 1")
    assert run_names.of_variant(rows.TWIN, with_place=False) == "cnn · twin"
    assert run_names.of_training("cnn", "none") == "cnn · train"


def test_ranks_sort_as_text_from_the_fastest_and_mark_what_to_deploy() -> None:
    places = run_names.ranks(ROWS)
    marked = [rows.BASELINE, rows.TWIN, replace(SLOW, recommended=True), replace(FAST, beyond_limits="drop")]
    limits = Limits(max_accuracy_drop=0.05)
    ranks = [run_names.rank_text(row, places, limits) for row in marked]
    mark = "cnn 01 of 03, may lose 0.1 points"
    assert ranks == ["cnn 03 of 03, baseline", "cnn twin", "cnn 02 of 03, DEPLOY", mark]
    assert min(ranks) == mark
    failed = rows.row("none/fp32/openvino", "failed", speedup=None)
    assert sorted([*ranks, run_names.rank_text(failed, places, limits)])[-2:] == ["cnn failed", "cnn twin"]


def test_figures_of_a_training_are_grouped_and_constants_are_no_curves() -> None:
    metrics, constants = training_figures.split({"val_loss": 1.0, "lr": 0.1, "parameters": 5, "train_s": 2.0})
    assert metrics == {"val/loss": 1.0, "train/lr": 0.1}
    assert constants == {"params": 5, "train_s": 2.0}
