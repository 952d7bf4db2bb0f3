"""A request that cannot be answered, and whose fault that is."""

from breakeven.core.errors import UserError

BAD, TOO_LARGE, UNSUPPORTED, TIMEOUT = 422, 413, 415, 408  # statuses of HTTP


class Refused(UserError):
    """The client's mistake, as a status of HTTP and one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
