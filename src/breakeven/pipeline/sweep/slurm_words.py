"""Slurm's words in plain English: why a task waits, how it ended, and why a submission was refused."""

import re
from dataclasses import dataclass

TIME_LIMIT = "the time limit of {minutes} minutes was reached: hydra.launcher.timeout_min=MINUTES gives more"
# States in which a task is over -> how it ended. COMPLETED and FAILED say nothing more: its log does.
ENDS = {
    "COMPLETED": "",
    "FAILED": "",
    "CANCELLED": "somebody cancelled it in the cluster's queue",
    "TIMEOUT": TIME_LIMIT,
    "NODE_FAIL": "its node went down",
    "BOOT_FAIL": "its node did not start",
    "OUT_OF_MEMORY": "it needed more memory than the cluster gave it: hydra.launcher.mem_gb=GB asks for more",
    "PREEMPTED": "the cluster gave its node to a job of higher priority",
    "DEADLINE": "the cluster's deadline for it has passed",
    "REVOKED": "another cluster of the federation took it",
}


@dataclass(frozen=True)
class Wait:
    """Why a task is pending."""

    words: str
    hopeless: bool = False  # it never starts
    needs_person: bool = False  # it does not start before somebody does something


LESS_TIME = "allows less time than hydra.launcher.timeout_min={minutes}: give fewer minutes"
# Part of Slurm's reason -> its meaning; the first that matches counts
WAITS = {
    r"^PartitionTimeLimit": Wait(
        f"the partition {LESS_TIME} (`sinfo -o '%P %l'` lists its limit)", hopeless=True
    ),
    r"MaxWall|WallDuration": Wait(f"your account or quality of service {LESS_TIME}", hopeless=True),
    r"PerJob": Wait("the job asks for more than your account or quality of service allows", hopeless=True),
    r"^PartitionNodeLimit|^PartitionConfig": Wait(
        "the partition has no room for such a job: choose another hydra.launcher.partition, or ask for less "
        "by hydra.launcher.cpus_per_task, nodes or mem_gb",
        hopeless=True,
    ),
    r"^BadConstraints|Constraint": Wait(
        "no node has what the job asks for: change hydra.launcher.constraint, cpus_per_task or mem_gb",
        hopeless=True,
    ),
    r"^(Invalid)?Account": Wait("the account may not be used: set hydra.launcher.account", hopeless=True),
    r"^InvalidQOS|^QOSNotAllowed": Wait(
        "the quality of service may not be used: set hydra.launcher.qos", hopeless=True
    ),
    r"^DependencyNeverSatisfied": Wait("the job that it depends on has failed", hopeless=True),
    r"^JobHoldMaxRequeue|launch.failed": Wait("the cluster could not launch it", hopeless=True),
    r"^JobHeldUser": Wait("somebody holds it: `scontrol release JOB` lets it go", needs_person=True),
    r"^JobHeldAdmin": Wait(
        "an administrator holds it: `scontrol release JOB` lets it go, for who may", needs_person=True
    ),
    r"^SUSPENDED|^STOPPED": Wait("somebody suspended it: `scontrol resume JOB` goes on", needs_person=True),
    r"^SPECIAL_EXIT|^REQUEUE_HOLD": Wait(
        "the cluster has put it back, and holds it: `scontrol release JOB` lets it go", needs_person=True
    ),
    r"^PartitionDown|^PartitionInactive": Wait("the partition is closed", needs_person=True),
    r"^ReqNodeNotAvail|^NodeDown|DOWN|DRAINED": Wait(
        "the nodes that it could use are down or reserved (`sinfo -R` says why)", needs_person=True
    ),
    r"^Reservation": Wait("it waits for its reservation", needs_person=True),
    r"^Priority": Wait("others are before it"),
    r"^Resources": Wait("no node is free"),
    r"^JobArrayTaskLimit": Wait("as many run as hydra.launcher.array_parallelism allows"),
    r"Limit$|Grp|MaxJobs": Wait("others of your account use what it may have at once"),
}
# Part of sbatch's message -> what to change; the first that matches counts
REFUSALS = {
    r"account ": "set hydra.launcher.account=NAME",
    r"partition": "`sinfo` lists the partitions: hydra.launcher.partition=NAME",
    r"time limit|TimeLimit|WallDuration": "give fewer minutes: hydra.launcher.timeout_min=MINUTES",
    r"qos|QOS": "set hydra.launcher.qos=NAME",
    r"node configuration|[Mm]emory|CPU": "ask for less: hydra.launcher.cpus_per_task, mem_gb, gpus_per_node",
    r"contact|connect|[Tt]imed out": "the cluster's controller does not answer: `scontrol ping`",
}


def meaning_of(reason: str) -> Wait:
    """Return what Slurm's reason of a pending task means; unknown reasons are waited for."""
    for pattern, wait in WAITS.items():
        if re.search(pattern, reason):
            return wait
    return Wait("")


def refusal(message: str) -> str:
    """Return a sentence, without its full stop, on a submission that `sbatch` refused.

    Args:
        message: what `sbatch` printed.
    """
    lines = [line for line in message.strip().splitlines() if line.strip()] or ["it gave no reason"]
    cause = re.sub(r"^sbatch: (error|fatal): (Batch job submission failed: )?", "", lines[-1]).rstrip(".")
    remedy = next((words for pattern, words in REFUSALS.items() if re.search(pattern, message)), "")
    return f"the cluster refused the jobs: {cause}{': ' + remedy if remedy else ''}"
