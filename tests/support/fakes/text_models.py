"""Small models of texts, which are token ids."""

from torch import Tensor, nn


class Words(nn.Module):
    """Adds what each token says."""

    def __init__(self, vocabulary: int, num_classes: int) -> None:
        super().__init__()
        self.said = nn.Embedding(vocabulary, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        sums: Tensor = self.said(tokens).sum(1)
        return sums


class MaskedWords(Words):
    """Adds what each token says that its mask shows."""

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        sums: Tensor = (self.said(tokens) * mask[..., None]).sum(1)
        return sums
