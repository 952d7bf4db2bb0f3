"""The parts of a variant's name are explained by what is known of the variant."""

from rows import BASELINE, TWIN, row

from breakeven.report.variant_names import meanings


def test_a_compression_says_how_much_of_the_work_it_leaves() -> None:
    pruned = row("prune50/fp32/eager", macs=BASELINE.macs // 4)
    (none, other) = meanings([BASELINE, TWIN, pruned])["compression"]
    assert none.meaning == "not compressed"
    assert (
        other.meaning
        == "compressed as conf/compression/prune50.yaml sets it; it leaves 25% of the work of cnn"
    )


def test_without_the_uncompressed_model_nothing_is_said_of_the_work() -> None:
    (only,) = meanings([row("prune50/fp32/eager")])["compression"]
    assert only.meaning.endswith("sets it")
