"""The list of all columns of a result. The CSV, MLflow's runs and the documentation are made from it."""

from dataclasses import dataclass
from typing import Literal

# The kind of a column decides how MLflow logs it:
# name: identifies a variant, together with the other names; a parameter of its run
# text: a word; a tag
# figure: a number; a metric
# calls: a number, "never" or "undecided"; a metric where it is a number
# flag: true or false; not logged, since MLflow compares numbers
Kind = Literal["name", "text", "figure", "calls", "flag"]


@dataclass(frozen=True)
class Column:
    """A column of `results/summary.csv`: its name, kind, unit and meaning."""

    name: str
    kind: Kind
    unit: str  # empty if the column has none
    description: str
    tag: bool = False  # whether MLflow's users can search for runs by it


COLUMNS = (
    Column("family", "name", "", "the model's family, a key of `families`", tag=True),
    Column("variant", "name", "", "compression/precision/runtime, or `twin`", tag=True),
    Column(
        "compression", "name", "", "the recipe that made the model smaller; `none` for the uncompressed one"
    ),
    Column("precision", "name", "", "the precision in the variant's name"),
    Column("quantization", "name", "", "the option in `conf/quantization`; empty if nothing is quantized"),
    Column(
        "executed_precision",
        "text",
        "",
        "which share of the time it computes in which precision, by the runtime's own profiler",
        tag=True,
    ),
    Column("runtime", "name", "", "the runtime that executes it, a key of `runtimes`"),
    Column("hardware", "name", "", "where it was measured, a key of `hardware`", tag=True),
    Column("machine", "text", "", "the machine, with a fingerprint of its versions", tag=True),
    Column("threads", "name", "", "threads that the runtime may use"),
    Column("batch_size", "name", "", "inputs of one call"),
    Column(
        "scenario",
        "name",
        "",
        "how it was called: `single_stream`, `batch`, `server_threads`, `server_processes`",
    ),
    Column("callers", "name", "", "how many callers call at the same time"),
    Column("params", "figure", "", "parameters of the model"),
    Column("macs", "figure", "", "multiply-accumulates for one input"),
    Column(
        "verdict",
        "text",
        "",
        "the outcome in one word: `baseline`, `faster`, `slower`, `same`, `undecided`, `twin`, "
        "`unsupported`, `wrong` or `failed`",
        tag=True,
    ),
    Column("reason", "text", "", "why there is no figure or no verdict", tag=True),
    Column(
        "notes",
        "text",
        "",
        "what a reader of the figures has to know: images in two splits, denormal numbers",
        tag=True,
    ),
    Column("unreliable", "flag", "", "whether the run gives no verdict: its twin differed from the baseline"),
    Column(
        "execution",
        "text",
        "",
        "what else is known of how it executes: ONNX Runtime's provider, the graph that torch.compile "
        "found whole or in pieces, what ExecuTorch delegated, which calls and kernels AOTInductor's C++ "
        "consists of, which of eager's batch normalizations, activations and additions are fused or "
        "folded into other calls (where all kernels are seen)",
        tag=True,
    ),
    Column("latency_ms_p50", "figure", "ms", "median of a call, averaged over replicates (geometric mean)"),
    Column("latency_ms_p50_ci_low", "figure", "ms", "lower end of its own interval of 95%"),
    Column("latency_ms_p50_ci_high", "figure", "ms", "upper end of its own interval of 95%"),
    Column("latency_ms_p90", "figure", "ms", "90th percentile of all single calls"),
    Column("latency_ms_p99", "figure", "ms", "99th percentile of all single calls"),
    Column(
        "latency_ms_p99_ci_low",
        "figure",
        "ms",
        "lower end of its own interval of 95%; empty if there are too few blocks for one",
    ),
    Column("latency_ms_p99_ci_high", "figure", "ms", "upper end of the interval of p99"),
    Column(
        "latency_ms_mean",
        "figure",
        "ms",
        "mean of all calls, those that other work slowed included (geometric mean over replicates)",
    ),
    Column(
        "slow_share",
        "figure",
        "share",
        "share of calls that took at least a quarter longer than the middle call of their replicate",
    ),
    Column("throughput_per_s", "figure", "inputs/s", "inputs a second"),
    Column(
        "roofline_share",
        "figure",
        "share",
        "the least time that the hardware's measured peaks allow, over p50; padding does not count; empty "
        "where that bound does not hold",
    ),
    Column(
        "speedup",
        "figure",
        "ratio",
        "over the baseline, of calls that no other work disturbs: above 1 is faster",
    ),
    Column(
        "speedup_ci_low",
        "figure",
        "ratio",
        "lower end of the speedup's interval; all intervals of a run hold at once, the twin's excepted",
    ),
    Column(
        "speedup_ci_high",
        "figure",
        "ratio",
        "upper end of the speedup's interval",
    ),
    Column(
        "speedup_of_means",
        "figure",
        "ratio",
        "the speedup by the mean of all calls, slow ones included: what a whole day's calls gain; a figure "
        "below `speedup` says that slow calls eat up part of the gain",
    ),
    Column("speedup_of_means_ci_low", "figure", "ratio", "lower end of its interval, corrected"),
    Column("speedup_of_means_ci_high", "figure", "ratio", "upper end of its interval, corrected"),
    Column(
        "speedup_in_runtime",
        "figure",
        "ratio",
        "over the uncompressed fp32 model in the same runtime, which is what vendors publish",
    ),
    Column("speedup_in_runtime_ci_low", "figure", "ratio", "lower end of its interval, corrected"),
    Column("speedup_in_runtime_ci_high", "figure", "ratio", "upper end of its interval, corrected"),
    Column("noise_floor", "figure", "ratio", "differences below it are noise, as the twin shows; at least 1"),
    Column(
        "min_detectable_effect",
        "figure",
        "ratio",
        "the smallest gain that four of five such runs find; at least 1",
    ),
    Column("trained", "flag", "", "whether the weights are trained; if not, the columns of scores are empty"),
    Column("metric", "text", "", "the score's name: `accuracy`, or that of the family's task", tag=True),
    Column("metric_unit", "text", "", "the score's unit; `%`: the columns hold fractions"),
    Column("metric_better", "text", "", "which scores are the better ones: `higher` or `lower`"),
    Column("score", "figure", "", "mean score of the test set, by the family's task"),
    Column("score_delta", "figure", "", "score minus the baseline's, on the same samples"),
    Column(
        "score_delta_ci_low",
        "figure",
        "",
        "lower end of its interval of 95%; 0 of an fp32 variant that decides as eager does for every sample",
    ),
    Column("score_delta_ci_high", "figure", "", "upper end of its interval of 95%"),
    Column(
        "score_p_value",
        "figure",
        "",
        "against the baseline: of the exact McNemar test for scores of 0 and 1, else of a paired t",
    ),
    Column("accuracy", "figure", "share", "accuracy on the test set: a classifier's `score`"),
    Column(
        "accuracy_top5",
        "figure",
        "share",
        "share of the test set whose class is among the five most likely ones",
    ),
    Column("accuracy_delta", "figure", "share", "accuracy minus the baseline's"),
    Column("accuracy_delta_ci_low", "figure", "share", "lower end of its interval of 95%"),
    Column("accuracy_delta_ci_high", "figure", "share", "upper end of its interval of 95%"),
    Column("accuracy_p_value", "figure", "", "of the exact McNemar test against the baseline"),
    Column(
        "control_delta",
        "figure",
        "",
        "score minus that of the control: the uncompressed model, trained for as many more epochs",
    ),
    Column("control_delta_ci_low", "figure", "", "lower end of its interval of 95%"),
    Column("control_delta_ci_high", "figure", "", "upper end of its interval of 95%"),
    Column(
        "agreement",
        "figure",
        "share",
        "share of decisions (classes of samples or pixels) that eager makes, too, with the same weights",
    ),
    Column(
        "max_abs_error", "figure", "", "largest difference of an output from eager's with the same weights"
    ),
    Column("artifact_mb", "figure", "MB", "size of its files"),
    Column("peak_memory_mb", "figure", "MB", "what its process held beyond the imported libraries"),
    Column("train_s", "figure", "s", "training of the compression, once"),
    Column("build_s", "figure", "s", "export, quantization and compilation, once"),
    Column("load_s", "figure", "s", "load at each start, with what the compiler has cached"),
    Column("first_call_ms", "figure", "ms", "first call after such a start"),
    Column(
        "cold_start_s",
        "figure",
        "s",
        "a start with nothing cached: load, and the calls until they are as fast as later ones",
    ),
    Column("calls_until_steady", "figure", "calls", "the number of these calls"),
    Column(
        "best_within_limit",
        "flag",
        "",
        "whether this batch, or number of callers, gives the variant its best throughput within "
        "`measure.latency_limit_ms`: the upper end of p99's interval is under the limit",
    ),
    Column(
        "breakeven_calls",
        "calls",
        "calls",
        "after how many calls training, build and start are paid back: a number, `never` or `undecided`",
        tag=True,
    ),
    Column("breakeven_calls_low", "calls", "calls", "lower bound of the break-even calls"),
    Column("breakeven_calls_high", "calls", "calls", "upper bound of the break-even calls"),
    Column(
        "breakeven_calls_without_training",
        "calls",
        "calls",
        "break-even calls if the training of the compression counts nothing; empty if nothing was trained",
    ),
    Column("replicates", "figure", "", "how many times it was measured in fresh processes"),
    Column("pareto", "flag", "", "whether no other variant is at once as fast, as accurate and as small"),
    Column("recommended", "flag", "", "whether `breakeven recommend` names it"),
    Column("beyond_limits", "text", "", "which of the study's limits it may exceed; empty if it keeps them"),
)


def column_names(*kinds: Kind) -> list[str]:
    """Return the names of all columns, or of the columns of these kinds, in the order of the CSV."""
    return [column.name for column in COLUMNS if not kinds or column.kind in kinds]


def tag_names() -> list[str]:
    """Return the names of the columns that are tags of a run in MLflow."""
    return [column.name for column in COLUMNS if column.tag]


def markdown_table() -> str:
    """Return the table of all columns for the documentation."""
    lines = ["| column | unit | meaning | in MLflow |", "|---|---|---|---|"]
    for column in COLUMNS:
        lines.append(f"| `{column.name}` | {column.unit} | {column.description} | {_in_mlflow(column)} |")
    return "\n".join(lines)


def _in_mlflow(column: Column) -> str:
    logged = {"name": "parameter", "figure": "metric", "calls": "metric"}.get(column.kind)
    return " and ".join(part for part in (logged, "tag" if column.tag else None) if part)
