"""The failures that a user can cause or meet. Any other exception is a bug, and keeps its traceback."""


class UserError(Exception):
    """A mistake that the user can fix. Its message names the cause, the place and the remedy."""


class Unsupported(Exception):
    """A combination that an engine cannot run. Only its own row fails, with this message as the reason."""


class NotInstalled(Unsupported):
    """An unsupported combination that would work after the user installs a package."""


class WrongOutput(Exception):
    """An artifact that runs and gives other results than eager mode. Its row is `wrong`, and is not timed."""


class Failed(Exception):
    """Something that broke. Only its own row fails, with this message as the reason. It is tried again."""
