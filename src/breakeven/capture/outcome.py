"""What became of one model in one way of capturing it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from breakeven.capture.way import Break

Kind = Literal["right", "pieces", "refused", "wrong", "crash", "random"]
# Kind -> its sign in tables, and what it is called
SIGNS: dict[Kind, tuple[str, str]] = {
    "right": ("=", "right"),
    "pieces": ("+", "right in several graphs"),
    "refused": ("-", "refused"),
    "wrong": ("X", "silently wrong"),
    "crash": ("!", "crash or hang"),
    "random": ("~", "the model is not repeatable"),
}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one model in one way."""

    model: str
    way: str
    kind: Kind
    reason: str = ""  # in words: what was refused, or differs
    probe: str = ""  # the input that shows it; "" if it is the capture itself
    line: str = ""  # the user's source line
    registry: str = ""  # the number of the break in Dynamo's registry, as "GB0170"
    hint: str = ""  # what the tool itself says to write instead
    advice: str = ""  # what to write instead; `advice.advised` fills it
    graphs: int = 0
    breaks: Sequence[Break] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def title(self) -> str:
        """Return the outcome in a few words."""
        if self.kind != "pieces":
            return SIGNS[self.kind][1]
        return f"right in {self.graphs} graphs" if self.graphs > 1 else "right in a graph and Python"
