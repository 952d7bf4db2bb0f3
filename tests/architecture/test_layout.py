"""The rules of the architecture, read off the source."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path, PurePosixPath

import pytest
import yaml
from project import ROOT

from breakeven.core import paths

PACKAGE = ROOT / "src/breakeven"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
STAGES = {
    name: stage.get("do", stage)
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
}


@cache
def tree(module):
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module):
    """The modules that `module` imports at any depth, also by their full name in a string (a subprocess)."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & MODULES.keys() or {node.module}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & (MODULES.keys() - {"breakeven"})
    return found


def reached(start, follow=imports, stop=frozenset()):
    """All that `start` imports, transitively, with itself; `stop` and what only that imports is left out."""
    found, new = set(), {start}
    while new:
        found |= new
        new = {name for module in new & MODULES.keys() for name in follow(module)} - found - stop
    return found


def outside(modules):
    """The top packages among `modules` that are not this one."""
    return {module.partition(".")[0] for module in modules} - {"breakeven"}


def unsafe_loads(node):
    """The calls that unpickle whatever a file holds."""
    return [
        ast.unparse(call)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and re.search(r"(^|\.)(torch\.load|load_from_checkpoint|pickle\.loads?)$", ast.unparse(call.func))
        and not any(
            word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in call.keywords
        )
    ]


def test_a_job_that_trains_nothing_imports_nothing_that_trains():
    code = "import sys, breakeven.pipeline.sweep.job_main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"lightning", "torchmetrics", "mlflow"} & {*done.stdout.split()} == set()


def test_who_only_shows_results_does_not_wait_for_torch():
    modules = ["pipeline.stages.report", "pipeline.sweep.main", "tracking.model_registry"]
    code = f"import sys, {', '.join(f'breakeven.{name}' for name in modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"torch", "mlflow"} & {*done.stdout.split()} == set()


def test_what_fetch_notes_of_sweeps_is_read_without_anything_heavy():
    assert (
        outside(reached("breakeven.results.sweep_results")) & {"torch", "numpy", "hydra", "mlflow", "altair"}
        == set()
    )


# What a parent process and its own workers exchange, in a temporary folder of that run
EXCHANGED = {
    "breakeven.engine.call_loader": [
        "pickle.loads(Path(target.source).read_bytes())",
        "pickle.loads(Path(self.target.inputs).read_bytes())",
    ],
    "breakeven.engine.isolated": [
        "pickle.loads(result_file.read_bytes())",
        "pickle.loads(function.read_bytes())",
        "pickle.loads(pickled)",
    ],
    "breakeven.engine.rehearsal": ["pickle.loads(path.read_bytes())"],
}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_nothing_is_unpickled(module):
    assert sorted(unsafe_loads(tree(module))) == sorted(EXCHANGED.get(module, []))


def test_the_search_for_unpickling_finds_it():
    text = "torch.load(p)\ntorch.load(p, weights_only=False)\ntorch.load(p, weights_only=True)\nnp.load(p)"
    assert unsafe_loads(ast.parse(text)) == ["torch.load(p)", "torch.load(p, weights_only=False)"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_output_lies_below_a_path_of_paths(stage):
    known = [PurePosixPath(path) for path in vars(paths).values() if isinstance(path, Path)]
    entries = [out for kind in ("outs", "metrics") for out in STAGES[stage].get(kind, [])]
    for out in (name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)):
        assert any(PurePosixPath(out).is_relative_to(path) for path in known), out
