"""How late the generator itself was, and when that makes its run worthless."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lateness:
    """From when requests should be sent until the generator took them up, milliseconds.

    The wait for a connection is not part of it: that is the service's doing. It is part of the latency.
    """

    p50: float
    p99: float
    max: float


def lateness_of(late_ns: NDArray[np.int64]) -> Lateness | None:
    """Return the lateness of requests, of which each number of nanoseconds is one; None without requests."""
    if not late_ns.size:
        return None
    p50, p99 = np.quantile(late_ns, [0.5, 0.99], method="inverted_cdf") / 1e6
    return Lateness(float(p50), float(p99), float(late_ns.max()) / 1e6)


def objection(lateness: Lateness | None, limit_ms: float) -> str:
    """Return why a run is void, as a sentence; "" if it is not."""
    if lateness is None or lateness.p99 <= limit_ms:
        return ""
    return (
        f"void: the load generator itself sent 1% of the requests {lateness.p99:.3g} ms late or later, where "
        f"{limit_ms:g} ms are allowed: lower --rate, give it a core of its own by --core, or allow more by "
        "--max-lateness-ms"
    )
