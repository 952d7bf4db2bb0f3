"""An estimate of the time that is left, and its words."""

import math
from dataclasses import dataclass


@dataclass
class Estimate:
    """An estimate of the time left, from the time that finished work took. It needs some finished work."""

    total: float  # amount of work, in any unit
    at_once: int = 1  # amount that is done at the same time
    at_most: bool = False  # whether the rest may take less, because some of it may be there already
    done: float = 0.0
    made: float = 0.0  # the part of `done` that took time; the rest was there already
    seconds: float = 0.0  # the time that `made` took

    def finish(self, seconds: float | None, work: float = 1.0) -> None:
        """Count finished work.

        Args:
            seconds: the time that it took; None if it was there already. In that case more of the rest may be
                there already, so that the estimate becomes an upper limit.
            work: the amount, in the unit of `total`.
        """
        self.done += work
        if seconds is None:
            self.at_most = True
        else:
            self.made, self.seconds = self.made + work, self.seconds + seconds

    def left(self, begun: float = 0.0) -> str:
        """Return the time left in words; "" if no work is left, or if no finished work took time.

        Args:
            begun: the amount that is done of the work in progress.
        """
        rest = self.total - self.done - begun
        if not self.made or rest <= 0:
            return ""
        if self.at_once > 1:  # a last group takes as long as a full one
            rest = math.ceil(rest / self.at_once)
        return time_left(rest * self.seconds / self.made, self.at_most)


def time_left(seconds: float, at_most: bool = False) -> str:
    """Return a time in words, rounded: "about 12 min left".

    Args:
        seconds: the time left.
        at_most: whether it is an upper limit: round it up, and say "at most".
    """
    about = "at most" if at_most else "about"
    up = 0.499 if at_most else 0.0
    if seconds < 10:
        return "less than 10 s left"
    if (tens := round(seconds / 10 + up)) < 6:
        return f"{about} {10 * tens} s left"
    if (minutes := round(seconds / 60 + up)) < 60:
        return f"{about} {minutes} min left"
    hours, tens = divmod(round(seconds / 600 + up), 6)
    return f"{about} {hours} h{f' {10 * tens} min' if tens else ''} left"
