"""Compressions of models that share weights, compute them, have heads elsewhere, or give more in training."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, spectral_norm, weight_norm
from torch.nn.utils import prune as masking

from breakeven.core.errors import Unsupported
from breakeven.pipeline.sanity import require_trainable
from breakeven.plugins.compression._structure import heads_of, tied_parameters
from breakeven.plugins.compression.prune import Prune
from breakeven.plugins.compression.qat import Qat

FINE_TUNING = {"epochs": 1, "lr": 1, "distil": 0, "temperature": 1}
EXAMPLE = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def no_lessons(count: int) -> Iterator[Any]:
    return iter(())


def prune(model: nn.Module, **settings: object) -> list[Any]:
    made = Prune.model_validate({"name": "prune", "ratio": 0.5, "round_to": 8, **FINE_TUNING, **settings})
    return made.apply(model.eval(), EXAMPLE, no_lessons)


def trained_with_roundings(model: nn.Module) -> nn.Module:
    qat = Qat.model_validate({"name": "qat", **FINE_TUNING})
    qat.apply(model.eval(), EXAMPLE, no_lessons)
    optimizer = torch.optim.SGD(model.train().parameters(), 0.1)
    for _ in range(3):
        loss = nn.functional.cross_entropy(model(EXAMPLE), torch.tensor([1, 2]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    qat.finish(model.eval())
    return model


def stem(width: int = 16) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())


class Sharing(nn.Module):
    """Two layers of one weight, or one layer under two names."""

    def __init__(self, layer: bool) -> None:
        super().__init__()
        self.stem, self.a, self.head = stem(), nn.Conv2d(16, 16, 3, padding=1), nn.Linear(16, 10)
        self.b = self.a if layer else nn.Conv2d(16, 16, 3, padding=1)
        self.b.weight = self.a.weight

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.b(self.a(self.stem(images)).relu()).relu()
        return self.head(found.mean((2, 3)))  # type: ignore[no-any-return]


def test_layers_that_share_a_weight_are_not_pruned_apart() -> None:
    with pytest.raises(Unsupported, match=r"a\.weight and b\.weight are one weight"):
        prune(Sharing(layer=False))


def test_a_layer_that_is_called_twice_is_pruned_as_one() -> None:
    model = Sharing(layer=True)
    ties = tied_parameters(model)
    assert prune(model) and model.a is model.b and model.a.out_channels == 8
    assert tied_parameters(model) == ties and model(EXAMPLE).shape == (2, 10)


def test_roundings_keep_a_shared_weight_shared() -> None:
    model = Sharing(layer=False)
    before = model.a.weight.clone()
    trained_with_roundings(model)
    assert model.a.weight is model.b.weight and not torch.equal(model.a.weight, before)


class Computed(nn.Module):
    """The weight of one layer is computed from other parameters."""

    def __init__(self, wrap: Callable[[nn.Module], nn.Module]) -> None:
        super().__init__()
        self.first, self.head = wrap(nn.Conv2d(1, 16, 3)), nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.first(images).relu().mean((2, 3)))  # type: ignore[no-any-return]


PARAMETRIZATIONS = [
    parametrizations.weight_norm,
    parametrizations.spectral_norm,
    parametrizations.orthogonal,
]
HOOKS = [weight_norm, spectral_norm, lambda layer: masking.l1_unstructured(layer, "weight", 0.5)]


@pytest.mark.parametrize("wrap", PARAMETRIZATIONS)
def test_roundings_leave_the_model_s_own_parametrizations(wrap: Callable[..., nn.Module]) -> None:
    model = Computed(wrap)
    names = model.state_dict().keys()
    own = model.first.parametrizations.weight[0]
    trained_with_roundings(model)
    assert model.state_dict().keys() == names
    assert [*model.first.parametrizations.weight] == [own]
    assert not parametrize.is_parametrized(model.head)
    again = Computed(wrap).eval()
    again.load_state_dict(model.state_dict())
    assert torch.allclose(again(EXAMPLE), model(EXAMPLE))


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("wrap", HOOKS)
def test_roundings_of_weights_that_a_hook_computes_are_refused_by_name(
    wrap: Callable[..., nn.Module],
) -> None:
    model = Computed(wrap)
    names = model.state_dict().keys()
    with pytest.raises(Unsupported, match="the weight of first is computed by a hook"):
        trained_with_roundings(model)
    assert model.state_dict().keys() == names


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("wrap", [*PARAMETRIZATIONS, *HOOKS])
def test_pruning_of_computed_weights_is_refused_by_name(wrap: Callable[..., nn.Module]) -> None:
    with pytest.raises(Unsupported, match="the weight of first is computed from others"):
        prune(Computed(wrap))


class OwnLinear(nn.Linear):
    """Calls its input otherwise than torch does."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x)


class ByKeyword(nn.Module):
    """Calls its layers by keyword."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Conv2d(1, 16, 3), OwnLinear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(x=self.first(input=images).relu().mean((2, 3)))  # type: ignore[no-any-return]


def test_roundings_are_of_what_is_given_by_keyword() -> None:
    torch.manual_seed(0)
    model, rounded = ByKeyword(), ByKeyword()
    rounded.load_state_dict(model.state_dict())
    Qat.model_validate({"name": "qat", **FINE_TUNING}).apply(rounded.eval(), EXAMPLE, no_lessons)
    rounded.train()(EXAMPLE)
    assert not torch.equal(rounded.train()(EXAMPLE), model(EXAMPLE))
    assert trained_with_roundings(ByKeyword()).state_dict().keys() == model.state_dict().keys()


class Heads(nn.Module):
    """As many classes as channels; the heads are registered first, and another layer may be called last."""

    def __init__(self, heads: int, unused: bool = False) -> None:
        super().__init__()
        self.heads = nn.ModuleList(nn.Linear(16, 16) for _ in range(heads))
        self.net = nn.Sequential(*stem(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())
        self.unused = nn.Linear(16, 16) if unused else None

    def forward(self, images: Tensor) -> Tensor:
        found = self.net(images).mean((2, 3))
        logits = torch.stack([head(found) for head in self.heads]).mean(0)
        if self.unused:
            self.unused(found.detach())
        return logits


@pytest.mark.parametrize("heads", [1, 2])
def test_the_layers_that_give_the_logits_are_kept_whatever_the_order_of_registration(heads: int) -> None:
    model = Heads(heads)
    assert {*heads_of(model.eval(), EXAMPLE)} == {*model.heads}
    assert prune(model)
    assert [head.out_features for head in model.heads] == [16] * heads
    assert model.net[0].out_channels == model.net[3].out_channels == 8


def test_a_layer_that_is_called_last_need_not_be_the_head() -> None:
    model = Heads(1, unused=True)
    assert model.heads[0] in heads_of(model.eval(), EXAMPLE)


def test_layers_that_carry_each_class_to_the_logits_are_kept() -> None:
    carrying = nn.Sequential(nn.Conv2d(16, 16, 1), nn.ReLU(), nn.Conv2d(16, 16, 3, groups=16))
    model = nn.Sequential(*stem(), *carrying, nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    assert {*heads_of(model, EXAMPLE)} == {carrying[0], carrying[2]}


class Auxiliary(nn.Module):
    """Calls another head while it is trained."""

    def __init__(self, gives: str) -> None:
        super().__init__()
        self.net, self.head, self.aux, self.gives = stem(), nn.Linear(16, 10), nn.Linear(16, 10), gives

    def forward(self, images: Tensor) -> Any:
        found = self.net(images).mean((2, 3))
        if self.training and self.gives == "a tuple":
            return self.head(found), self.aux(found)
        return self.head(found) + self.aux(found) if self.training else self.head(found)


@pytest.mark.parametrize("gives", ["a tuple", "a sum"])
def test_a_head_that_only_training_calls_is_told_before_the_fine_tuning(gives: str) -> None:
    model = Auxiliary(gives)
    with pytest.raises(Unsupported, match="fails while it is trained, perhaps in a layer that only training"):
        prune(model)


def test_a_model_that_gives_a_tuple_while_it_is_trained_is_not_fine_tuned() -> None:
    model = Auxiliary("a tuple").eval()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(Unsupported, match="gives a tuple while it is trained, so it cannot be fine-tuned"):
        require_trainable(model, EXAMPLE, (10,))
    require_trainable(Auxiliary("a sum"), EXAMPLE, (10,))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model.training
