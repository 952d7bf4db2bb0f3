"""The time that a measurement of costs gets."""

from breakeven.engine.settings import Budget

COMPILES_S = 600.0  # the longest wait for a model that is compiled for the first time


def budget(seconds: float) -> Budget:
    """Return the settings of a measurement that ends after at least five replicates.

    Args:
        seconds: to measure for, in all variants together.
    """
    return Budget(
        seconds=seconds,
        seconds_per_variant=0.0,
        min_replicates=5,
        narrow_replicates=8,
        rounds=10,
        settle_ms=20,
        timeout_s=COMPILES_S,
    )
