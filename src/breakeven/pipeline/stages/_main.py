"""What every stage does around its work: how failures end."""

import errno
import signal
import sys
from collections.abc import Callable
from types import FrameType

from breakeven.core.errors import UserError

SURROUNDINGS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)  # are not the program's fault


def run(stage: Callable[..., None], again: str = "`dvc repro`") -> None:
    """Run a stage with the command line's arguments.

    A user's mistake ends with its sentence and exit code 1; Ctrl-C with 130 and SIGTERM with 143, after the
    work's own `finally` blocks have run.

    Args:
        again: what to type to go on after that.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        stage(*sys.argv[1:])
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in SURROUNDINGS:
            raise
        where = f" ({error.filename})" if error.filename else ""
        print(f"breakeven: {error.strerror}{where}: once that is mended, {again} goes on.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"breakeven: interrupted; {again} goes on.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
