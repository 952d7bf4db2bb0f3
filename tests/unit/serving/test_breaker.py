"""A breaker keeps calls back after failures in a row, and lets one through from time to time."""

from breakeven.serving.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_failures_in_a_row_keep_calls_back_until_a_trial_succeeds() -> None:
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    for _ in range(2):
        breaker.failed()
    assert breaker.lets_through()
    breaker.failed()
    assert breaker.is_open and not breaker.lets_through()
    clock.now = 11
    assert breaker.lets_through() and not breaker.lets_through(), "one trial at a time"
    breaker.failed()
    clock.now = 20
    assert not breaker.lets_through(), "the trial failed: it waits again"
    clock.now = 22
    assert breaker.lets_through()
    breaker.succeeded()
    assert not breaker.is_open and breaker.lets_through()


def test_an_answer_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(2, 10.0)
    for _ in range(3):
        breaker.failed()
        breaker.succeeded()
    assert breaker.lets_through()
