"""Text classifiers of the library transformers (Wolf et al., 2020), in any of its shapes."""

from typing import Annotated, Any

from pydantic import Field, validate_call
from torch import Tensor, nn

from breakeven.core.errors import UserError

Positive = Annotated[int, Field(gt=0)]


@validate_call
def transformer(architecture: str, vocabulary: Positive, num_classes: Positive, **shape: Any) -> nn.Module:
    """A classifier with the default shape of `architecture` (BERT-base, RoBERTa-base), or another one.

    Args:
        architecture: as the library calls its kind: "bert", "roberta".
        vocabulary: tokens that the texts may hold.
        num_classes: size of the output.
        shape: of the architecture's configuration: hidden_size, num_hidden_layers.

    Raises:
        UserError: transformers is not installed.
        ValueError: it has no such architecture.
    """
    try:
        from transformers import AutoConfig, AutoModelForSequenceClassification
    except ImportError:
        raise UserError("not installed: pip install 'breakeven[text]'") from None
    config = AutoConfig.for_model(architecture, vocab_size=vocabulary, num_labels=num_classes, **shape)
    network: nn.Module = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    return _Logits(network)


class _Logits(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, L) ids of tokens -> (N, classes)."""
        logits: Tensor = self.network(input_ids=tokens).logits
        return logits
