"""The two failures that a user can cause or meet; everything else is a bug and keeps its traceback."""


class UserError(Exception):
    """A mistake that the user can mend: one sentence with the cause, the place and the remedy."""


class Unsupported(Exception):
    """A combination that an engine cannot run: costs its own row, with this sentence as the reason."""


class NotInstalled(Unsupported):
    """So it is here, until somebody installs what it takes."""
