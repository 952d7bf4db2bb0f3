"""One variant with its fallback: every call is answered, by eager where the variant gives no answer."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from breakeven.serving.breaker import Breaker
from breakeven.serving.model_process import Cause, ModelProcess, NoAnswer
from breakeven.serving.settings import ServiceSettings


class Unavailable(Exception):
    """Neither the variant nor eager gives an answer."""


@dataclass(frozen=True)
class Answered:
    """The outputs for some samples, and who computed them."""

    outputs: NDArray[Any]
    fallback: Cause | None = None  # why eager computed them; None: the variant did


class Predictor:
    """A variant in a process, behind a breaker, and eager in another process, which several may share."""

    def __init__(
        self,
        variant: ModelProcess,
        eager: ModelProcess,
        settings: ServiceSettings,
        note: Callable[[Cause], object],
        starters: Executor,
    ) -> None:
        """Start nothing yet.

        Args:
            note: is told the cause of each call that eager answers.
            starters: threads that start processes, and live as long as the service: Linux ends a process
                together with the thread that started it.
        """
        self._starters = starters
        self._variant, self._eager, self._limit_s, self._note = variant, eager, settings.time_limit_s, note
        self._breaker = Breaker(settings.failures, settings.retry_s)
        self._failure = ""  # why it failed the last time
        self._starting = threading.Lock()

    @property
    def reason(self) -> str:
        """Return why eager answers at present; "" if the variant does."""
        if not self._variant.is_ready:
            return self._variant.reason
        return f"it is left alone for a while, because {self._failure}" if self._breaker.is_open else ""

    def start(self) -> None:
        """Start the variant's process, and wait until it answers or cannot."""
        with self._starting:
            if not self._variant.is_ready and not self._variant.start():
                self._breaker.open()

    def answer(self, samples: NDArray[Any]) -> Answered:
        """Return the outputs for some samples.

        Raises:
            Unavailable: eager gives no answer, either.
        """
        try:
            return Answered(self._ask_variant(samples))
        except NoAnswer as error:
            answered = Answered(self._ask_eager(samples), error.cause)
            self._note(error.cause)
            return answered

    def _ask_variant(self, samples: NDArray[Any]) -> NDArray[Any]:
        if not self._breaker.lets_through():
            cause = Cause.PAUSED if self._variant.is_ready else Cause.NOT_LOADED
            raise NoAnswer(cause, self.reason)
        try:
            outputs = self._variant.call(samples, self._limit_s)
        except NoAnswer as error:
            if error.cause is not Cause.STARTING:
                self._failure = str(error)
                self._breaker.failed()
            if not self._variant.is_ready:
                self._start_again()
            raise
        self._breaker.succeeded()
        return outputs

    def _start_again(self) -> None:
        if not self._starting.locked():
            self._starters.submit(self.start)

    def _ask_eager(self, samples: NDArray[Any]) -> NDArray[Any]:
        for _ in range(2):
            try:
                return self._eager.call(samples, self._limit_s)
            except NoAnswer as error:
                reason = str(error)
                if not self._eager.is_ready:
                    self._eager.start()
        raise Unavailable(f"eager gives no answer: {reason}")
