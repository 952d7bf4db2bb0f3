"""Numbers in the form that people read."""


def brief(value: float) -> str:
    """Return a number with three significant digits, and commas between thousands."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def counted(number: int, what: str) -> str:
    """Return a number of things in words, as "1 job" or "2 jobs"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
