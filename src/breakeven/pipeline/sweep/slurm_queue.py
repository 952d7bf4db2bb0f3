"""The tasks of a sweep in Slurm's queue, watched by `squeue` alone: many clusters have no accounting."""

import os
import subprocess
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from breakeven.core.errors import UserError
from breakeven.pipeline.sweep.slurm_words import ENDS, meaning_of

ASKED_EVERY_S = 10.0  # fewer questions spare the controller
ANSWER_TIMEOUT_S = 60.0  # of one question
SILENCE_S = 3600.0  # after which a cluster that does not answer is given up
# A task counts as lost if two answers say so, since a result may reach this machine late
ANSWERS = 2
# States in which a task stands still until somebody does something
STANDING = ("SUSPENDED", "STOPPED", "SPECIAL_EXIT", "REQUEUE_HOLD")


@dataclass
class SlurmQueue:
    """What is known of a sweep's tasks.

    `ended` says which are over without a result, and which of those that wait will never run.
    """

    minutes: int  # the time limit of a task
    lost_for: dict[str, tuple[str, int]] = field(
        default_factory=dict
    )  # task -> why, and answers that said so
    waits_since: dict[str, float] = field(default_factory=dict)  # task -> since when it needs a person
    told: set[str] = field(default_factory=set)  # what was printed already
    asked_at: float = float("-inf")
    answered_at: float = field(default_factory=time.monotonic)

    def ended(self, tasks: Collection[str]) -> dict[str, str]:
        """Return the tasks that will give no result, each with the reason. Print why other tasks wait.

        A task that never starts is cancelled.

        Args:
            tasks: the ids of the tasks that have no result yet, as 12 or 12_3.

        Raises:
            UserError: the cluster has not answered for an hour.
        """
        now = time.monotonic()
        if now - self.asked_at < ASKED_EVERY_S:
            return {}
        self.asked_at = now
        if (queue := _ask()) is None:
            self._silent(tasks, now)
            return {}
        self.answered_at = now
        lost, waiting = {}, {}
        for task in tasks:
            state, reason = queue.get(task, ("", ""))
            if not state:
                lost[task] = "it left the cluster's queue without a result: cancelled, or lost"
            elif state in ENDS:
                lost[task] = ENDS[state].format(minutes=self.minutes) or "its task ended without a result"
            elif state == "PENDING":
                waiting[task] = reason
            elif state in STANDING:
                waiting[task] = state
        hopeless = self._hopeless(waiting, now)
        self._tell(waiting)
        counts = {task: self.lost_for.get(task, ("", 0))[1] for task in lost | hopeless}
        self.lost_for = {task: (why, counts[task] + 1) for task, why in (lost | hopeless).items()}
        sure = {task: why for task, (why, count) in self.lost_for.items() if count >= ANSWERS}
        if never := [task for task in sure if task in hopeless]:
            cancel(never)
        return sure

    def _hopeless(self, waiting: dict[str, str], now: float) -> dict[str, str]:
        """Return the pending tasks that never start, or for which nobody has done anything for too long."""
        needing = {task for task, reason in waiting.items() if meaning_of(reason).needs_person}
        self.waits_since = {task: self.waits_since.get(task, now) for task in needing}
        found = {}
        for task, reason in waiting.items():
            wait = meaning_of(reason)
            too_long = task in needing and now - self.waits_since[task] > 60 * self.minutes
            if wait.hopeless or too_long:
                found[task] = f"the cluster does not start it: {self._words(reason, task)}"
        return found

    def _tell(self, waiting: dict[str, str]) -> None:
        """Print each new reason for which tasks wait."""
        for reason in sorted({*waiting.values()} - self.told - {"", "None"}):
            those = [task for task, why in waiting.items() if why == reason]
            count = "1 job waits" if len(those) == 1 else f"{len(those)} jobs wait"
            print(f"{count} in the cluster's queue: {self._words(reason, those[0])}", flush=True)
            self.told.add(reason)

    def _words(self, reason: str, task: str) -> str:
        words = meaning_of(reason).words.format(minutes=self.minutes).replace("JOB", task)
        return f"{words} ({reason})" if words else reason

    def _silent(self, tasks: Collection[str], now: float) -> None:
        command = f"`{cancelling(tasks)}`"
        if now - self.answered_at > SILENCE_S:
            raise UserError(
                f"the cluster has not answered for an hour: {command} ends the jobs that are still there."
            )
        if (line := "the cluster does not answer `squeue`: it is asked again until it does") not in self.told:
            print(line, flush=True)
            self.told.add(line)


def _ask() -> dict[str, tuple[str, str]] | None:
    """Return task -> state and reason, of all of this user's tasks; None if the cluster does not answer."""
    command = [
        "squeue",
        "--noheader",
        "--array",
        "--states=all",
        f"--user={os.getuid()}",
        "--format=%i|%T|%r",
    ]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_TIMEOUT_S,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    lines = (line.strip().split("|", 2) for line in done.stdout.splitlines() if line.count("|") >= 2)
    return {task: (state, reason) for task, state, reason in lines}


def cancelling(tasks: Collection[str]) -> str:
    """Return the command that cancels these tasks: one word for each job, whose tasks are an array."""
    return " ".join(["scancel", *sorted({task.partition("_")[0] for task in tasks})])


def cancel(tasks: Sequence[str]) -> bool:
    """Cancel tasks, and return whether the cluster has accepted it."""
    try:
        done = subprocess.run(
            ["scancel", *tasks],
            capture_output=True,
            check=False,
            timeout=ANSWER_TIMEOUT_S,
            start_new_session=True,  # Ctrl-C does not reach it
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
