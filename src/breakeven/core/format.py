"""Numbers and text in the form that people read."""

import re
import textwrap

HARD_SPACE = "\xa0"  # at which no line breaks
INTERVAL = re.compile(r"\(\S+ to \S+\)")


def brief(value: float) -> str:
    """Return a number with three significant digits, and commas between thousands."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def times(value: float, low: float, high: float) -> str:
    """Return a ratio with its interval, as "1.92x (1.88 to 1.96)"."""
    return f"{value:.2f}x ({low:.2f} to {high:.2f})"


def counted(number: int, what: str) -> str:
    """Return a number of things in words, as "1 job" or "2 jobs"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def wrapped(text: str, width: int, first: str, rest: str) -> str:
    """Return a text in lines of at most `width` characters, which break only between words.

    An interval in parentheses, as "(1.02 to 1.07)", stays in one line.

    Args:
        first: the beginning of the first line.
        rest: the beginning of each other line.
    """
    whole = INTERVAL.sub(lambda found: found[0].replace(" ", HARD_SPACE), text)
    lines = textwrap.fill(
        whole,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines.replace(HARD_SPACE, " ")
