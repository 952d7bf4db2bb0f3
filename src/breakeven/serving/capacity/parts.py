"""What a request takes, part by part: from what the client sees and what the service has counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from breakeven.core.errors import Failed

REQUEST, DECODE, CALL, FALLBACKS = (
    "breakeven_request_seconds",
    "breakeven_decode_seconds",
    "breakeven_call_seconds",
    "breakeven_fallbacks_total",
)


@dataclass(frozen=True)
class Parts:
    """The mean duration of each part of a request, milliseconds; they add up to what the client sees."""

    network: float  # the client, the loopback interface and the server's parsing of HTTP
    decoding: float  # the body as samples
    handling: float  # the rest of the service: reading the body, the queue, writing the answer
    process: float  # the way to the variant's process and back
    model: float  # the model alone, with its preprocessing: as measured offline


def counted(url: str) -> Mapping[str, float]:
    """Return what a service has counted so far: name of a figure -> value, summed over labels."""
    with urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if "le" not in sample.labels:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def parts(
    before: Mapping[str, float], after: Mapping[str, float], client_ms: float, offline_ms: float
) -> Parts:
    """Return the parts of the requests between two looks at a service's figures.

    Args:
        client_ms: the mean latency that the client saw.
        offline_ms: what a call of the model takes offline; at most what a call took in the service.
    """
    request, decoding, call = (mean_ms(before, after, name) for name in (REQUEST, DECODE, CALL))
    model = min(offline_ms, call)
    return Parts(client_ms - request, decoding, request - decoding - call, call - model, model)


def mean_ms(before: Mapping[str, float], after: Mapping[str, float], name: str) -> float:
    """Return the mean of a duration that a service counted between two looks, milliseconds."""
    count = after[f"{name}_count"] - before.get(f"{name}_count", 0.0)
    return 1e3 * (after[f"{name}_sum"] - before.get(f"{name}_sum", 0.0)) / max(count, 1.0)


def require_no_fallback(name: str, before: Mapping[str, float], after: Mapping[str, float]) -> None:
    """Raise `Failed` if eager has answered in the place of a variant: its times would be eager's."""
    if number := after.get(FALLBACKS, 0.0) - before.get(FALLBACKS, 0.0):
        raise Failed(f"{name} gave no answer to {number:.0f} calls, and eager answered them")
