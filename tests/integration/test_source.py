"""Every source file that a stage opens is in the digest that the stage depends on."""

import json
from pathlib import Path

import pytest
import yaml
from project import Project

from breakeven.core.source_digest import is_left_out
from breakeven.core.source_memory import parse

pytestmark = pytest.mark.timeout(600)
STAGES = [
    "prepare/digits",
    "train/cnn",
    "compress/cnn-prune50",
    "export/cnn",
    "quantize/cnn",
    "benchmark/cnn-cpu1",
    "profile/cnn-cpu1",
    "explain/cnn-cpu1",
    "serve/cnn",
    "report",
]
SERVER = "breakeven.engine.forkserver_main"
WORKERS = {"breakeven.engine.worker_main", SERVER}
CHECKED = ("train/", "compress/")  # their workers check the model, and decide nothing in it
CHECKERS = {SERVER, "breakeven.engine.worker_pool", "breakeven.plugins.hardware.cpu"}


def opened(project: Project, stage: str) -> set[str]:
    """Return the modules and data files that the stage opened, but for those that no code needs."""
    names = set()
    log = project.folder.parent / "opened" / stage.replace("/", "-")
    for line in log.read_text().splitlines():
        modules, path = line.split("\t")
        name = name_of(Path(path), project.folder)
        if stage.startswith(CHECKED) and CHECKERS & {*modules.split(), name}:
            continue
        if not any(map(is_left_out, [*modules.split(), name])) and says_something(Path(path)):
            names.add(name)
    return names


def name_of(path: Path, folder: Path) -> str:
    """Return the name of a file in a digest."""
    if path.suffix != ".py":
        below = path.relative_to(folder)
        return str(below.relative_to("src") if below.is_relative_to("src") else below)
    return ".".join(path.relative_to(folder / "src").with_suffix("").parts).removesuffix(".__init__")


def says_something(path: Path) -> bool:
    """Return whether there is more than a docstring in it."""
    return path.suffix != ".py" or bool(parse(path, path.read_bytes()).digest)


def digests(project: Project, stage: str) -> set[str]:
    """Return the names that the stage depends on."""
    return {*json.loads((project.folder / f"data/fetched/code/{stage}.json").read_text())}


@pytest.mark.parametrize("stage", STAGES)
def test_all_source_that_a_stage_opens_is_in_its_digest(reproduced: tuple[Project, str], stage: str) -> None:
    found = opened(reproduced[0], stage)
    module = f"breakeven.pipeline.stages.{stage.partition('/')[0]}"
    assert module in found, "the hook saw nothing"
    assert found - digests(reproduced[0], stage) == set()


def test_the_hook_sees_workers_models_plugins_and_templates(reproduced: tuple[Project, str]) -> None:
    project = reproduced[0]
    assert opened(project, "export/cnn") >= {*WORKERS, "breakeven.plugins.runtimes.eager"}
    assert opened(project, "benchmark/cnn-cpu1") >= {*WORKERS, "breakeven.engine.roofline"}
    assert "breakeven.plugins.models.cnn" in opened(project, "train/cnn")
    assert "breakeven.plugins.compression.prune" in opened(project, "compress/cnn-prune50")
    assert "breakeven/report/templates/report.html" in opened(project, "report")


def test_each_stage_depends_on_its_digest_alone(reproduced: tuple[Project, str]) -> None:
    stages = yaml.safe_load((reproduced[0].folder / "dvc.yaml").read_text())["stages"]
    for name, stage in stages.items():
        inner = stage.get("do", stage)
        code = [dep for dep in inner.get("deps", []) if dep.startswith("data/fetched/code/")]
        assert not [dep for dep in inner.get("deps", []) if dep.startswith(("src", "cpp"))]
        assert len(code) == (name not in ("check_params", "fetch")), name
    (folder,) = [reproduced[0].folder / "data/fetched/code"]
    written = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.json")}
    assert written == {*STAGES}


@pytest.mark.parametrize("stage", STAGES)
def test_a_digest_is_no_wider_than_it_has_to_be(reproduced: tuple[Project, str], stage: str) -> None:
    names = digests(reproduced[0], stage)
    assert not [name for name in names if is_left_out(name)]
    unused = ("runtimes.openvino", "models.resnet18", "compression.qat", "hardware.cuda", "datasets.cifar10")
    assert not [name for name in names if name.endswith(unused) or name.startswith("cpp/")]
    if stage != "report":
        assert not [name for name in names if name.startswith(("breakeven.report", "breakeven.cli"))]
