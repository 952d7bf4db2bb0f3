"""Each idiom has one idea, and a rewrite that does the same where some way needs one."""

import importlib
from pathlib import Path

import pytest
import torch

from breakeven.capture import targets, way, zoo
from breakeven.capture.differences import difference
from breakeven.capture.judge import judge
from breakeven.capture.probes import probes

IDIOMS = [target.name for target in targets.idioms()]
REWRITES = {target.name: target for target in targets.rewrites()}
# Their outputs have another form, or are no longer random
OTHER_OUTPUTS = {"two_return_types", "dataclass_output", "non_tensor_output", "always_dropout"}
NEEDED = ("jit_trace", "dynamo", "dynamo_full_graph", "export_strict", "export_nonstrict")


def module(name: str) -> object:
    return importlib.import_module(f"breakeven.capture.idioms.{name}")


def test_no_two_models_share_what_is_kept_of_them() -> None:
    everything = [*targets.idioms(), *targets.rewrites(), *targets.torch_examples(), *zoo.targets()]
    assert len({(each.name, each.version) for each in everything}) == len(everything)
    assert len(zoo.targets()) >= 150


def test_there_are_enough_idioms_and_ways() -> None:
    assert len(IDIOMS) >= 32 and len(way.names()) >= 10


@pytest.mark.parametrize("name", IDIOMS)
def test_an_idiom_says_its_idea_and_one_with_a_rewrite_says_what_to_do(name: str) -> None:
    idea = (module(name).__doc__ or "").strip()
    assert idea.endswith(".") and len(idea.splitlines()[0]) > 30
    assert hasattr(module(name), "ADVICE") or not hasattr(module(name), "Rewrite")


@pytest.mark.parametrize("name", sorted(REWRITES.keys() - OTHER_OUTPUTS))
def test_a_rewrite_does_what_the_model_does(name: str) -> None:
    models = []
    for attribute in ("Model", "Rewrite"):
        torch.manual_seed(0)
        models.append(targets.of_idiom(f"{targets.IDIOMS}.{name}", attribute))
    (model, example), (rewrite, _) = models
    model.eval()
    rewrite.eval()
    for probe in probes(example, any_batch=False):
        try:
            expected = probe.example.copy().call(model)
        except Exception:
            continue  # the model refuses this input
        got = probe.example.copy().call(rewrite)
        assert not difference(
            torch.utils._pytree.tree_leaves(expected), torch.utils._pytree.tree_leaves(got), is_flat=True
        ), probe.name


@pytest.mark.slow
@pytest.mark.parametrize("name", REWRITES)
@pytest.mark.parametrize("way_name", NEEDED)
def test_a_rewrite_is_right_in_every_way_that_matters(name: str, way_name: str, tmp_path: Path) -> None:
    outcome = judge(name, way_name, way.load(way_name), REWRITES[name].make, tmp_path)
    assert outcome.kind == "right", outcome
