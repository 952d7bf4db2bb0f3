"""Text classifiers of the library transformers (Wolf et al., arXiv:1910.03771, 2020).

It needs transformers 5.23 or newer (`breakeven[text]`).
"""

from typing import Annotated, Any

from pydantic import Field, validate_call
from torch import Tensor, nn

from breakeven.core.errors import UserError
from breakeven.core.extras import not_installed

Positive = Annotated[int, Field(gt=0)]


@validate_call
def transformer(architecture: str, vocabulary: Positive, num_classes: Positive, **shape: Any) -> nn.Module:
    """Build a classifier in the default shape of `architecture`, or with other sizes.

    Args:
        architecture: the library's name of it: "bert" (by default BERT-base), "roberta" (RoBERTa-base).
        vocabulary: how many different tokens there are.
        num_classes: outputs.
        shape: fields of the architecture's configuration, such as hidden_size and num_hidden_layers.

    Raises:
        UserError: transformers is not installed.
        ValueError: transformers has no such architecture.
    """
    try:
        from transformers import AutoConfig, AutoModelForSequenceClassification
    except ImportError:
        raise UserError(not_installed("text")) from None
    config = AutoConfig.for_model(architecture, vocab_size=vocabulary, num_labels=num_classes, **shape)
    network: nn.Module = AutoModelForSequenceClassification.from_config(config)  # type: ignore[no-untyped-call]
    return _Logits(network)


class _Logits(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the (N, classes) logits of (N, L) token ids."""
        logits: Tensor = self.network(input_ids=tokens).logits
        return logits
