"""How much of the machine a service may use: by its affinity, and by the quota of its container."""

from pathlib import Path

from breakeven.core.errors import UserError
from breakeven.core.system_info import cores

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # control groups, version 2: "QUOTA PERIOD", or "max PERIOD"


def usable_cores(quota: Path = QUOTA) -> int:
    """Return the number of whole cores that this process and its children may use, at least 1."""
    try:
        most, period = quota.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cores()
    return cores() if most == "max" else max(1, min(cores(), int(most) // int(period)))


def require_fits(workers: int, threads: int) -> None:
    """Raise a UserError if the processes have more threads than there are cores."""
    if workers * threads > (there := usable_cores()):
        raise UserError(
            f"--workers {workers} x --threads {threads} are more than the {there} cores that this process "
            "may use: choose fewer."
        )
