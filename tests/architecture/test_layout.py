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

from breakeven.config.schema import GROUPS
from breakeven.core import paths
from breakeven.pipeline.build import MAKING
from breakeven.pipeline.fit_model import TRAINING
from breakeven.pipeline.sweep import jobs
from breakeven.results import measurement_cache

PACKAGE = ROOT / "src/breakeven"
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
STAGES = {
    name: stage.get("do", stage)
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"].items()
}
# These cannot change what a stage writes, or what they tell is among its dependencies.
NAMES = ["config.compose", "config.schema", "pipeline.stages._main"]
NAMES += [f"tracking.{name}" for name in ("address", "client", "live_run", "origin")]
NAMES += [
    f"core.{name}"
    for name in (
        *("cache", "download", "errors", "files", "git", "machine_lock", "paths", "plugin", "progress"),
        *("source_digest", "system_info"),
    )
]
HARMLESS = {f"breakeven.{name}" for name in NAMES}
HARMLESS |= {module for module, path in MODULES.items() if path.name == "__init__.py"}


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


@cache
def loads(module):
    """The modules that `module` loads by a name from the configuration: every option of the group.

    But not models: `fetch` notes the source of each family's own (tests/test_rerun.py).
    """
    groups = set()
    for node in ast.walk(tree(module)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if called.endswith(".option"):
            groups.add(GROUPS[first])
        elif called in ("load", "plugin.load") and first is not None:
            groups.add(first)
        elif called == "compression.apply":
            groups.add("compression")
    return {name for name in MODULES for group in groups if name.startswith(f"breakeven.plugins.{group}.")}


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


def sources(stage):
    """The source paths that a stage of dvc.yaml depends on."""
    return [ROOT / dep for dep in STAGES[stage].get("deps", []) if dep.startswith("src/")]


def needed(stage):
    """The source files that decide what a stage writes."""
    (name,) = re.findall(r"-m (breakeven\.pipeline\.stages\.\w+)", STAGES[stage]["cmd"])

    def follow(module):
        # Of another stage's module only some helper is used, not what its own body loads.
        borrowed = module.startswith("breakeven.pipeline.stages.") and module != name
        return imports(module) if borrowed else imports(module) | loads(module)

    modules = reached(name, follow, HARMLESS)
    return {MODULES[module] for module in modules & MODULES.keys()}


def inside(path, folder):
    return folder == path or folder in path.parents


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


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_unpickled(module):
    assert unsafe_loads(tree(module)) == []


def test_the_search_for_unpickling_finds_it():
    text = "torch.load(p)\ntorch.load(p, weights_only=False)\ntorch.load(p, weights_only=True)\nnp.load(p)"
    assert unsafe_loads(ast.parse(text)) == ["torch.load(p)", "torch.load(p, weights_only=False)"]


# A stage that runs every time needs no reason to.
@pytest.mark.parametrize("stage", [name for name, stage in STAGES.items() if not stage.get("always_changed")])
def test_a_stage_depends_on_all_source_that_decides_its_output(stage):
    missing = {path for path in needed(stage) if not any(inside(path, dep) for dep in sources(stage))}
    assert not missing, f"{stage} lacks the deps\n" + "\n".join(
        sorted(str(p.relative_to(ROOT)) for p in missing)
    )


KEYS = [
    ("prepare", ("plugins/datasets", "artifacts/dataset", "pipeline/prepare_dataset")),
    ("train", TRAINING),
    ("compress", (*TRAINING, "plugins/compression")),
    ("export", MAKING),
    ("quantize", MAKING),
    ("benchmark", measurement_cache.SOURCE),
    ("benchmark", jobs.SOURCE),
]


@pytest.mark.parametrize(("stage", "names"), KEYS)
def test_a_key_holds_all_source_that_decides_what_it_stands_for(stage, names):
    parts = [PACKAGE / name for name in names]
    kept = {*parts, *(part.with_suffix(".py") for part in parts)}
    # A stage's own file says in which order things happen; the source of models is noted by `fetch`.
    own = PACKAGE / f"pipeline/stages/{stage}.py"
    missing = {path for path in needed(stage) - {own} if not any(inside(path, part) for part in kept)}
    assert not missing, f"{stage} lacks {sorted(str(path.relative_to(PACKAGE)) for path in missing)}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_source_that_it_does_not_reach(stage):
    idle = [str(dep) for dep in sources(stage) if not any(inside(path, dep) for path in needed(stage))]
    assert not idle, f"{stage} has deps that it does not import: {idle}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_output_lies_below_a_path_of_paths(stage):
    known = [PurePosixPath(path) for path in vars(paths).values() if isinstance(path, Path)]
    entries = [out for kind in ("outs", "metrics") for out in STAGES[stage].get(kind, [])]
    for out in (name for entry in entries for name in ([entry] if isinstance(entry, str) else entry)):
        assert any(PurePosixPath(out).is_relative_to(path) for path in known), out
