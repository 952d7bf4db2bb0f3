"""The settings of a service, with the limits of what it takes."""

from dataclasses import dataclass
from typing import Literal

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """What a request may hold; anything larger is refused before it is decoded."""

    body_bytes: int = 16 * MIB
    body_s: float = 10.0  # to wait for the whole body
    side: int = 4000  # pixels of an image
    oversize: Literal["refuse", "shrink"] = "refuse"  # what to do with an image of longer sides
    pixels: int = 64_000_000  # of an image, also of one that is scaled down
    frames: int = 1  # pictures in a file
    samples: int = 64  # in one request


@dataclass(frozen=True)
class ServiceSettings:
    """How a service runs a variant."""

    threads: int = 1  # of each process that runs the variant
    workers: int = 1  # processes that run the variant
    max_batch: int = 1  # samples that are answered in one call; 1: no batching
    max_wait_ms: float = 2.0  # how long the first sample of a batch waits for others
    queue: int = 256  # requests that wait; further ones are told to come again
    time_limit_s: float = 5.0  # for a call; a process that takes longer is killed
    start_limit_s: float = 300.0  # to load the variant; some compile
    failures: int = 5  # in a row, after which eager answers everything
    retry_s: float = 30.0  # until the variant is tried again
    limits: Limits = Limits()
