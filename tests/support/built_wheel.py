"""The wheel of this checkout, and an environment that uses it with the packages that are installed here."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from project import ROOT

COMMANDS = {"breakeven": "breakeven.cli.main", "dvc": "dvc.cli"}


def build(folder: Path) -> Path:
    """Build the wheel in `folder`, from a copy: setuptools leaves files beside what it builds."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in files.stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / name).write_bytes((ROOT / name).read_bytes())
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(folder / "source"))
    (built,) = folder.glob("breakeven-*.whl")
    return built


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment, and return its folder of programs.

    It finds every other package where this process does, so that nothing is downloaded.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    packages = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    (packages / "others.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n")
    _run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(packages), str(wheel))
    for name, module in COMMANDS.items():
        program = folder / "bin" / name
        program.write_text(
            f"#!{folder / 'bin/python'}\nimport sys\nfrom {module} import main\nsys.exit(main())\n"
        )
        program.chmod(0o755)
    return folder / "bin"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
