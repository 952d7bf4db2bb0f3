"""A sweep's sentences: which family gains most, from which size on, and what failed."""

from dataclasses import replace

import rows

from breakeven.report import sweep_markdown
from breakeven.results.sweep_answer import sentences


def test_the_family_that_gains_most_and_the_size_from_which_on() -> None:
    said = sentences(rows.sweep([rows.job(size) for size in (5, 6, 7, 8, 9)]).swept)
    assert said[0].startswith(
        "net5 gains most: 16.00x (15.20 to 16.80) by none/fp32/torchscript_frozen on cpu1"
    )
    assert said[1].startswith(
        "Of 5 models that gain, net9 gains least: 2.40x (2.28 to 2.52) by none/fp32/onnx"
    )
    assert said[2].startswith(
        "none/fp32/torchscript_frozen on cpu1 is faster below 1,000 million MACs (1,000"
    )
    assert "; its gain shrinks as the model grows (5 models, 0.1 to 1,000 million MACs)." in said[2]
    assert said[3] == "All 5 jobs succeeded." and len(said) == 4


def test_few_models_say_nothing_about_sizes() -> None:
    said = sentences(rows.sweep([rows.job(6), rows.job(7)]).swept)
    assert "that takes 4 models of different sizes, and 2 were measured." in said[2]


def test_failures_are_quoted_and_counted() -> None:
    (job,) = [rows.job(6)]
    lost = replace(job[-1], variant="none/fp32/openvino", verdict="failed", reason="it stops", speedup=None)
    said = sentences(rows.sweep([[*job, lost]], failed=["no such model.", "no memory", "no disk"]).swept)
    assert said[-2] == (
        "3 of 4 jobs failed: bad=no such model.: no such model; bad=no memory: no memory; and 1 more. "
        "The same command tries them again."
    )
    assert said[-1] == "Without figures or verdict: none/fp32/openvino, failed: it stops."
    assert len(said) <= 5


def test_what_is_recommended_comes_before_what_is_only_fast() -> None:
    job = rows.job(6)
    job[2] = replace(job[2], recommended=True, speedup=1.5)
    (first, *_) = sentences(rows.sweep([job]).swept)
    assert first.startswith("net6 gains most: 1.50x") and first.endswith(
        "; it keeps the limits, such as that on accuracy."
    )


def test_a_sweep_of_failures_says_only_those() -> None:
    assert sentences(rows.sweep([], failed=["why"]).swept) == [
        "1 of 1 job failed: bad=why: why. The same command tries them again."
    ]


def test_the_page_and_the_section_begin_with_them() -> None:
    section = rows.sweep([rows.job(6)])
    page = sweep_markdown.render(section.swept, {})
    assert f"- {section.sentences[0]}\n" in page.partition("```")[0]
