"""The sentence on code of a user that fails while it is imported."""

import traceback


def import_fault(error: BaseException) -> str:
    """Return why a module cannot be imported, with the line that fails."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    line = traceback.extract_tb(error.__traceback__)[-1]
    reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
    return f"cannot be imported: {line.filename}:{line.lineno}: {reason}"
