"""A real Slurm cluster of one node on this machine, below a temporary folder, with or without accounting."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb")
SBIN = f"/usr/sbin{os.pathsep}/sbin"
MINUTES = 1  # that the partition `brief` allows
CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
AuthInfo=socket={folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
ReturnToService=2
KillWait=5
SlurmdTimeout=10
SchedulerParameters=sched_interval=3,sched_min_interval=1,bf_interval=3
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=brief Nodes={host} MaxTime={minutes} State=UP
PartitionName=closed Nodes={host} MaxTime=INFINITE State=DOWN
"""
ACCOUNTED = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations,limits
"""
DBD = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={dbd}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""
USERS = "CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm'; GRANT ALL ON *.* TO slurm@'127.0.0.1';"


def missing(accounting: bool) -> list[str]:
    """The programs that a cluster needs, and that are not installed."""
    names = (*PROGRAMS, *(ACCOUNTING if accounting else ()))
    return [name for name in names if not shutil.which(name, path=_path())]


class Cluster:
    """A cluster that runs; its commands find it by `environment`."""

    def __init__(self, folder: Path, accounting: bool) -> None:
        self.folder, self.accounting = folder, accounting
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": _path()}
        self.host = socket.gethostname()

    def run(self, *command: str, check: bool = True) -> str:
        """What a command of Slurm's prints."""
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def queue(self) -> dict[str, str]:
        """The tasks that are not over, each with its state."""
        lines = self.run("squeue", "--noheader", "--array", "--format=%i|%T").split()
        return dict(line.split("|") for line in lines)

    @contextmanager
    def node_down(self) -> Iterator[None]:
        """The node's daemon is dead, and the node down, until the block ends."""
        pid = int((self.folder / "slurmd.pid").read_text())
        os.kill(pid, 9)
        self.run("scontrol", "update", f"nodename={self.host}", "state=down", "reason=test")
        try:
            yield
        finally:
            self.start_node()

    def start_node(self) -> None:
        """Start the node's daemon, and wait until the node takes jobs."""
        self.run("slurmd")
        self.run("scontrol", "update", f"nodename={self.host}", "state=resume", check=False)
        wait_for(lambda: "idle" in self.run("sinfo", "--noheader", "--format=%t", "--partition=main"))


@contextmanager
def cluster(folder: Path, accounting: bool) -> Iterator[Cluster]:
    """A cluster below `folder` (a short path: sockets lie there), which ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder, accounting)
    ports = dict(zip(("ctld", "slurmd", "dbd", "sql"), _free_ports(4), strict=True))
    values = {"folder": folder, "host": made.host, "cpus": os.cpu_count(), "minutes": MINUTES, **ports}
    (folder / "slurm.conf").write_text((CONF + (ACCOUNTED if accounting else "")).format(**values))
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    with ExitStack() as daemons:
        munged = ("munged", "--foreground", "--force", f"--key-file={folder}/munge.key")
        munged += (f"--socket={folder}/munge.socket", f"--pid-file={folder}/munged.pid")
        munged += (f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed")
        daemons.enter_context(_daemon(made, *munged))
        wait_for((folder / "munge.socket").exists)
        if accounting:
            _start_accounting(made, daemons, values)
        daemons.enter_context(_daemon(made, "slurmctld", "-D"))
        wait_for(lambda: "UP" in made.run("scontrol", "ping", check=False))
        if accounting:
            made.run("sacctmgr", "-i", "add", "account", "lab")
            made.run("sacctmgr", "-i", "add", "user", "root", "account=lab")
        daemons.callback(_end_node, folder)
        made.start_node()
        yield made
        made.run("scancel", "--user=root", check=False)


def _start_accounting(made: Cluster, daemons: ExitStack, values: dict[str, object]) -> None:
    data, where = made.folder / "sql", f"--socket={made.folder}/sql.socket"
    made.run(
        "mariadb-install-db", "--no-defaults", "--user=root", "--auth-root-authentication-method=normal",
        f"--datadir={data}",
    )  # fmt: skip
    server = ("mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", where)
    server += ("--bind-address=127.0.0.1", f"--port={values['sql']}", f"--pid-file={made.folder}/sql.pid")
    daemons.enter_context(_daemon(made, *server))
    wait_for(lambda: made.run("mariadb", "--no-defaults", "-uroot", where, "-e", "SELECT 1", check=False))
    made.run("mariadb", "--no-defaults", "-uroot", where, "-e", USERS)
    conf = made.folder / "slurmdbd.conf"
    conf.write_text(DBD.format(**values))
    conf.chmod(0o600)
    daemons.enter_context(_daemon(made, "slurmdbd", "-D"))
    wait_for(lambda: "Cluster" in made.run("sacctmgr", "show", "cluster", check=False))


@contextmanager
def _daemon(made: Cluster, *command: str) -> Iterator[None]:
    program = shutil.which(command[0], path=_path())
    assert program
    with (made.folder / f"{command[0]}.out").open("w") as log:
        process = subprocess.Popen(
            [program, *command[1:]],
            env={**os.environ, **made.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def _end_node(folder: Path) -> None:
    pid = int((folder / "slurmd.pid").read_text())
    try:
        os.kill(pid, 15)
    except ProcessLookupError:
        return


def _free_ports(count: int) -> list[int]:
    with ExitStack() as sockets:
        opened = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in opened]


def _path() -> str:
    return f"{os.environ['PATH']}{os.pathsep}{SBIN}"


def wait_for(look: Callable[[], object], seconds: float = 90) -> None:
    """Wait until `look` finds something."""
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.3)
