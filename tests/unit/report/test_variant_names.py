"""The parts of a variant's name are explained by what is known of the variant."""

import pytest
from project import ROOT
from rows import BASELINE, TWIN, row

from breakeven.config import conf_files
from breakeven.report.variant_names import meanings

CONF = ROOT / "conf"


def test_a_compression_says_how_much_of_the_work_it_leaves() -> None:
    pruned = row("prune50/fp32/eager", macs=BASELINE.macs // 4)
    (none, other) = meanings([BASELINE, TWIN, pruned])["compression"]
    assert none.meaning == "not compressed"
    said = "pruned: the same share of each layer's channels removed; it leaves 25% of the work"
    assert other.meaning == said


def test_families_of_which_it_leaves_different_shares_are_named() -> None:
    bases = [BASELINE, row("none/fp32/eager", "baseline", family="mlp")]
    pruned = [
        row("prune50/fp32/eager", macs=BASELINE.macs // 4),
        row("prune50/fp32/eager", family="mlp", macs=BASELINE.macs // 2),
    ]
    (_, other) = meanings([*bases, *pruned])["compression"]
    assert other.meaning.endswith("it leaves 25% of the work of cnn, 50% of the work of mlp")


def test_without_the_uncompressed_model_nothing_is_said_of_the_work() -> None:
    (only,) = meanings([row("prune50/fp32/eager")])["compression"]
    assert only.meaning.endswith("channels removed")


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, path.stem)
        for group in ("runtime", "compression")
        for path in (ROOT / "conf" / group).glob("*")
    ],
)
def test_every_option_says_in_short_what_it_is(group: str, name: str) -> None:
    assert name == "none" or conf_files.in_short(CONF, group, name)


def test_an_option_that_says_nothing_is_named_by_its_file() -> None:
    (_, other) = meanings([BASELINE, row("none/fp32/own", runtime="own")])["runtime"]
    assert other.meaning == "as conf/runtime/own.yaml sets it"


def test_a_runtime_is_found_by_its_whole_key() -> None:
    """A key that ends with its precision is shortened in the variant's name."""
    (found,) = meanings([row("none/bf16/torchscript", runtime="torchscript", precision="bf16")])["runtime"]
    assert found.meaning.startswith("TorchScript, with the weights frozen")
