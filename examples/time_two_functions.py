"""Which of two ways to count words is faster? Run: python examples/time_two_functions.py."""

import sys

import breakeven

TEXT = ("the quick brown fox jumps over the lazy dog " * 200).split()


def with_a_loop():
    """Return the function to time. What happens here happens once in each process, untimed."""

    def count(words):
        counts = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        return counts

    return count


def with_counter():
    """Return the other function."""
    from collections import Counter

    return lambda words: dict(Counter(words))


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    result = breakeven.measure(
        {"loop": with_a_loop, "Counter": with_counter}, inputs=(TEXT,), max_seconds=seconds
    )
    print(result)
    gain = result["Counter"].speedup
    print(f"Counter is {gain.low:.2f} to {gain.high:.2f} times as fast.")
