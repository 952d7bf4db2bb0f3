"""Numbers on the command line; each function is the `type` of an option."""

import math
from argparse import ArgumentTypeError


def whole(text: str) -> int:
    """Parse a whole number above 0."""
    if not (text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text}: give a whole number above 0")
    return int(text)


def at_least_two(text: str) -> int:
    """Parse a whole number above 1: one value has no spread."""
    if whole(text) < 2:
        raise ArgumentTypeError(f"{text}: give 2 or more")
    return int(text)


def port(text: str) -> int:
    """Parse the number of a TCP port."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise ArgumentTypeError(f"{text}: give a whole number from 1 to 65535")
    return int(text)


def not_negative(text: str) -> float:
    """Parse a number of 0 or more."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text}: give a number of 0 or more")
    return value


def above_zero(text: str) -> float:
    """Parse a number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise ArgumentTypeError(f"{text}: give a number above 0")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
