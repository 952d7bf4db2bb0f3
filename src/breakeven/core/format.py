"""Numbers as people read them."""


def brief(value: float) -> str:
    """With three significant digits, and separators between thousands."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"
