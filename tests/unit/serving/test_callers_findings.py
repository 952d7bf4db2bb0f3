"""What is said of several callers."""

from breakeven.engine.settings import Arrangement
from breakeven.results.callers import CallersRecord, CallersRow
from breakeven.serving.capacity import callers_findings
from breakeven.serving.capacity.callers import arrangements

RATES = {False: {2: 1.0, 4: 0.9}, True: {2: 1.9, 4: 1.95}}  # of processes or threads, by callers


def per_s(arrangement: Arrangement, threads_gain: float) -> list[float]:
    gain = 1.0
    if arrangement.threads > 1:
        gain = 1.5 if arrangement.callers == 1 else 1.7
    elif arrangement.callers > 1:
        gain = RATES[True][arrangement.callers] if arrangement.processes else threads_gain
    return [gain * value for value in (1000.0, 1010.0, 990.0)]


def row(name: str, threads_gain: float) -> CallersRow:
    return CallersRow(name, [(each, per_s(each, threads_gain)) for each in arrangements(2)])


RECORD = CallersRecord(
    "cnn", "a machine", 2, [row("free", 1.92), row("locked", 1.02), CallersRow("odd", reason="it crashed")]
)


def test_the_sentences_say_who_scales() -> None:
    said = [*callers_findings.sentences(RECORD)]
    share = next(
        sentence for sentence in said if "get through at least 80% of what 2 processes do: " in sentence
    )
    wait = next(sentence for sentence in said if "gain little or lose" in sentence)
    assert "free 1.92x" in share and "locked" not in share
    assert "locked 1.02x" in wait and "(processes 1.90x" in wait and "free" not in wait
    assert "The most that 4 caller threads gain is 1.92x (1.92 to 1.92): free." in said
    assert any(
        sentence.startswith("One process with 2 threads inside a call: less than 2 processes")
        for sentence in said
    )
    assert said[-1] == "odd was not measured: it crashed."


def test_the_chart_has_every_arrangement_but_one_caller_alone() -> None:
    (chart,) = callers_findings.section(RECORD).charts
    assert {point["who"] for point in chart.data} == {
        "2 caller threads",
        "4 caller threads",
        "2 processes",
        "4 processes",
        "1 caller, 2 threads inside a call",
        "2 processes, 2 threads inside a call",
    }
    assert len(chart.data) == 12
