"""Put `conf/`, `cpp/` and dvc.yaml of the checkout into the wheel; pyproject.toml says all the rest."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDERS = ("conf", "cpp")  # `breakeven.core.paths.shipped` finds them, and
STAGES = "dvc.yaml"


class BuildWithFolders(build_py):
    """Copy the package and `FOLDERS`; an editable install uses those of the checkout."""

    def run(self) -> None:
        """Build."""
        super().run()
        if not self.editable_mode:
            for name in FOLDERS:
                target = Path(self.build_lib, "breakeven", name)
                shutil.rmtree(target, ignore_errors=True)  # of an earlier build
                shutil.copytree(name, target)
            shutil.copyfile(STAGES, Path(self.build_lib, "breakeven", STAGES))


setup(cmdclass={"build_py": BuildWithFolders})
