"""The source files that each stage of a study depends on: its own, and those of its plugins."""

from collections.abc import Iterator

from breakeven.artifacts.artifact import BASELINE
from breakeven.config.study import Study
from breakeven.core.plugin import module_names
from breakeven.core.source_digest import AT_START, digests_of, plugin_modules
from breakeven.core.source_walk import SourceTree
from breakeven.diagnosis.ladder import LADDERS
from breakeven.pipeline.option_code import option_modules

Digests = dict[str, str]
SHOWN = ("report", "profile", "explain", "serve")  # stages that change nothing of what is measured


def stage_code(study: Study, tree: SourceTree = AT_START) -> Iterator[tuple[str, Digests]]:
    """Yield the name of each stage of dvc.yaml, as `STAGE/INSTANCE`, and the digests of its source."""
    for name, settings in study.datasets.items():
        yield f"prepare/{name}", digests_of("prepare", option_modules("datasets", settings), tree)
    for name in study.families:
        family = study.families[name]
        model = [str(family.model.get("_target_")), *option_modules("tasks", family.task)]
        runtimes = plugin_modules("runtimes", study.runtimes)
        compressions = plugin_modules("compression", study.compressions)
        yield f"train/{name}", digests_of("train", model, tree)
        for recipe, settings in study.compressions.items():
            steps = plugin_modules("compression", settings)
            yield f"compress/{name}-{recipe}", digests_of("compress", [*model, *steps], tree)
        scored = [*model, *runtimes, *_scoring_hardware(study, list(study.runtimes))]
        yield f"export/{name}", digests_of("export", scored, tree)
        yield f"quantize/{name}", digests_of("quantize", [*model, *_quantizing(study)], tree)
        yield f"serve/{name}", digests_of("serve", [*model, *runtimes], tree)
        for hardware, settings in study.hardware.items():
            measured = [*model, *runtimes, *compressions, *plugin_modules("hardware", settings)]
            yield f"benchmark/{name}-{hardware}", digests_of("benchmark", measured, tree)
            device = plugin_modules("hardware", settings)
            eager = plugin_modules("runtimes", study.runtimes[BASELINE.rpartition("/")[2]])
            yield f"profile/{name}-{hardware}", digests_of("profile", [*model, *eager, *device], tree)
            explained = [*model, *runtimes, *device, *_ladders(study)]
            yield f"explain/{name}-{hardware}", digests_of("explain", explained, tree)
    yield "report", digests_of("report", [], tree)


def job_code(study: Study) -> Digests:
    """Return the current digests of all source files that affect the measurements of a sweep's job."""
    tree = SourceTree()
    code = [digests for stage, digests in stage_code(study, tree) if stage.partition("/")[0] not in SHOWN]
    tree.memory.save()
    return {name: digest for digests in code for name, digest in digests.items()}


def _ladders(study: Study) -> list[str]:
    """Return the modules of the ladders that the stage `explain` may climb."""
    runtimes = {settings["name"] for settings in study.runtimes.values()} if study.ladder else set()
    return [f"{LADDERS}.{name}" for name in sorted(runtimes & {*module_names(LADDERS)})]


def _quantizing(study: Study) -> Iterator[str]:
    """Yield the plugins that the stage `quantize` loads."""
    yield from plugin_modules("quantization", study.quantizations)
    runtimes = {str(settings.get("runtime")) for settings in study.quantizations.values()}
    for runtime in sorted(runtimes & study.runtimes.keys()):
        yield from plugin_modules("runtimes", study.runtimes[runtime])
    yield from _scoring_hardware(study, sorted(runtimes & study.runtimes.keys()))


def _scoring_hardware(study: Study, runtimes: list[str]) -> list[str]:
    """Return the modules of the hardware on which artifacts of these runtimes are scored."""
    names = {study.option("runtimes", runtime).scored_on for runtime in runtimes}
    return plugin_modules("hardware", [{"name": name} for name in sorted(names)])
