"""Send requests to an HTTP service at given times, and say how long its answers take.

The times do not depend on the answers, and latency counts from them: a stall delays all requests that come
meanwhile, and shows as that. Exit code 0: done; 1: no request was answered, or a setting makes no sense; 2:
wrong usage; 3: the generator itself was late, and the run is void; 130: interrupted.
"""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from breakeven.serving.load import LoadResult

GROUP = "deploy"
EXAMPLE = "breakeven load-test http://127.0.0.1:8000/predict --rate 100 --file cat.png"
ANYWHERE = True  # it needs no project
DONE, UNANSWERED, VOID, INTERRUPTED = 0, 1, 3, 130  # exit codes


def arguments(parser: ArgumentParser) -> None:
    """Add the address, the load, the bodies and the limits."""
    from breakeven.cli.numbers import above_zero, not_negative, whole

    add = parser.add_argument
    add("url", metavar="URL", help="as http://127.0.0.1:8000/predict")
    add("--rate", type=above_zero, metavar="N", help="requests per second on average, for an open loop")
    add("--closed", type=whole, metavar="N", help="instead: callers that each wait for their answers")
    add(
        "--arrivals",
        choices=("poisson", "constant"),
        default="poisson",
        help="poisson: random times; constant: equal pauses; default: poisson",
    )
    add("--seconds", type=above_zero, default=10.0, metavar="S", help="time that is counted; default: 10")
    add("--warm-up", type=not_negative, default=1.0, metavar="S", help="time before it; default: 1")
    add("--seed", type=int, default=0, metavar="N", help="of the random times; default: 0")
    add(
        "--file",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a body to POST: .png, .jpg, .npy or .json; several take turns; default: GET without a body",
    )
    add("--connections", type=whole, default=100, metavar="N", help="most requests under way; default: 100")
    add("--timeout", type=above_zero, default=10.0, metavar="S", help="of a request; default: 10")
    add(
        "--max-lateness-ms",
        type=not_negative,
        default=1.0,
        metavar="MS",
        help="the generator's own lateness at p99, above which a run is void; default: 1",
    )
    add("--core", type=int, metavar="N", help="the core to run on, which the service should not use")
    add("--anywhere", action="store_true", help="allow a service on another machine")
    add("--json", type=Path, metavar="FILE", help="write all figures to a file, with the histogram")


def run(chosen: Namespace) -> int:
    """Send the requests, print the result, and return the exit code.

    Raises:
        UserError: a value makes no sense, the service is not there, or a file cannot be sent.
    """
    from breakeven.cli import load_table
    from breakeven.core import machine_lock
    from breakeven.core.files import write_json
    from breakeven.core.secrets import redact_all
    from breakeven.serving import load

    settings = load.LoadSettings(
        chosen.url,
        rate=chosen.rate,
        closed=chosen.closed,
        arrivals=chosen.arrivals,
        seconds=chosen.seconds,
        warm_up_s=chosen.warm_up,
        seed=chosen.seed,
        files=tuple(chosen.file),
        connections=chosen.connections,
        timeout_s=chosen.timeout,
        max_lateness_ms=chosen.max_lateness_ms,
        anywhere=chosen.anywhere,
        core=chosen.core,
    )
    if sys.stderr.isatty():
        print(f"{settings.total_s:g} s; Ctrl-C ends it earlier, and shows what there is.", file=sys.stderr)
    with machine_lock.exclusive():
        result = load.run(settings)
    if chosen.json:
        write_json(chosen.json, redact_all(result.to_dict()))
    load_table.show(result)
    return exit_code(result)


def exit_code(result: "LoadResult") -> int:
    """Return the exit code of a result."""
    if result.interrupted:
        return INTERRUPTED
    if result.void:
        return VOID
    return DONE if result.answered else UNANSWERED
