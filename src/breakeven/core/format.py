"""Numbers in the form that people read."""


def brief(value: float) -> str:
    """Return a number with three significant digits, and commas between thousands."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"
