"""The models with breaks compute what they compute without, and break as often as they say."""

import pytest
import torch
import torch._dynamo

from breakeven.capture.costs import segments


@pytest.fixture(autouse=True)
def as_before():
    """Put back what a chain sets for its whole process."""
    yield
    torch.set_grad_enabled(True)
    torch.backends.mha.set_fastpath_enabled(True)
    torch._dynamo.reset()


@pytest.mark.parametrize("breaks", range(9))
def test_breaks_lie_in_gaps_of_their_own(breaks: int) -> None:
    gaps = segments.broken_gaps(breaks)
    assert len(gaps) == 8 and sum(gaps) == breaks


@pytest.mark.parametrize("model", segments.MODELS)
def test_each_model_has_nine_segments_and_the_same_outputs_with_breaks(model: str) -> None:
    assert len(segments.MODELS[model]()) == segments.SEGMENTS
    x = segments.samples(model, 2)
    whole, parts = segments.chain(model), segments.chain(model, 8)
    assert whole(x).shape == (2, segments.CLASSES)
    assert torch.equal(whole(x), parts(x))


@pytest.mark.parametrize("breaks", [0, 1, 4, 8])
def test_dynamo_breaks_as_often_as_the_chain_says(breaks: int) -> None:
    found = torch._dynamo.explain(segments.chain("cnn", breaks))(segments.samples("cnn", 1))
    assert (found.graph_break_count, found.graph_count) == (breaks, breaks + 1)
