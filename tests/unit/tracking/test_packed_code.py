"""A registered variant brings the user's own modules with it, or is refused with what it needs."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.tracking import packed_code, pyfunc

# In place of an artifact's loader: it imports what the user's model imports, and reads its files
LOADER = """
import sys
import numpy as np
from breakeven.tracking import pyfunc
def load(path):
    import nets.small
    return nets.small.Model()
pyfunc._load_pyfunc = load
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a user's package that imports a module beside it, and an installed package."""
    folder = tmp_path / "project"
    (folder / "nets/parts").mkdir(parents=True)  # no __init__.py: a namespace
    (folder / "nets/weights.bin").write_bytes(b"0" * 1000)  # no code: not packed
    (folder / "nets/parts/__init__.py").write_text("from helper import FACTOR\n")
    (folder / "helper.py").write_text("import yaml\nFACTOR = 2\n")
    (folder / "nets/small.py").write_text(
        "from nets.parts import FACTOR\nclass Model:\n    def predict(self, x):\n        return x * FACTOR\n"
    )
    (folder / "sitecustomize.py").write_text("")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(packed_code, "LOAD_AND_CALL", LOADER + packed_code.LOAD_AND_CALL)
    np.save(tmp_path / "example.npy", np.ones(2))
    return folder


def packed(project: Path) -> tuple[Path, Path, Path]:
    target = project.parent / "scratch"
    target.mkdir()
    return project.parent, project.parent / "example.npy", target / "code"


def test_own_modules_are_packed_and_run_elsewhere(project: Path) -> None:
    folder, example, code = packed(project)
    modules = packed_code.pack_code(folder, example, code)
    files = {str(path.relative_to(code)) for path in code.rglob("*.py")}
    own = {name for name in files if not name.startswith("breakeven/")}
    assert own == {"helper.py", "nets/small.py", "nets/parts/__init__.py"}
    assert not [*code.rglob("*.bin"), *code.rglob("__pycache__")] and "breakeven/tracking/pyfunc.py" in files
    needs = packed_code.requirements(folder, modules, {"numpy": "2.0", "openvino": "1"})
    assert needs["numpy"] == "2.0" and "openvino" not in needs and "breakeven" not in needs
    assert needs["PyYAML"] == metadata.version("PyYAML")  # that the user's own module imports
    command = (
        "import sys; sys.path.insert(0, sys.argv[1]); from nets.small import Model; print(Model().predict(3))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", command, str(code)], cwd="/", capture_output=True, text=True
    )
    assert done.stdout == "6\n", done.stderr


def test_a_model_that_reads_a_file_beside_it_is_refused_with_what_it_needs(project: Path) -> None:
    (project / "helper.py").write_text(
        "from pathlib import Path\nFACTOR = len(Path(__file__).with_name('table.txt').read_text())\n"
    )
    (project / "table.txt").write_text("12")
    with pytest.raises(UserError) as told:
        packed_code.pack_code(*packed(project))
    said = str(told.value)
    assert "does not run in another folder" in said and "table.txt" in said
    assert (
        "helper, nets.parts, nets.small was packed: put what else it needs into an installed package" in said
    )


def test_a_variant_that_does_not_run_here_is_told(project: Path) -> None:
    (project / "helper.py").write_text("raise RuntimeError('http://me:hidden@host')\n")
    with pytest.raises(UserError, match=r"does not run: RuntimeError: http://\*\*\*@host\.$"):
        packed_code.pack_code(*packed(project))


def test_the_package_of_the_model_is_a_requirement(tmp_path: Path) -> None:
    import timm

    write_json(tmp_path / pyfunc.ARTIFACT_FOLDER / "model.json", {"model": {"_target_": "timm.create_model"}})
    needs = packed_code.requirements(tmp_path, {"timm": timm.__file__, "yaml": None}, {})
    assert needs["timm"] == metadata.version("timm") and "PyYAML" not in needs
