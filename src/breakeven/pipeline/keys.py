"""The list of artifacts that a study needs, and the cache key of each."""

from collections.abc import Mapping, Sequence
from typing import Any

from breakeven.artifacts.artifact import Artifact, variant_name
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.cache import CacheKey
from breakeven.core.files import read_json
from breakeven.core.source_digest import digests_of, plugin_modules
from breakeven.core.system_info import tuning_variables
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.option_code import option_modules
from breakeven.plugins.hardware.base import THREAD_VARIABLES


def wanted_artifacts(study: Study, options: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Return for each recipe the keys of the runtimes or toolchains that export or quantize it.

    Args:
        options: key of a runtime or toolchain -> the precision of its artifacts, and its runtime's key.
    """
    return {
        recipe: [
            key
            for key, (precision, runtime) in options.items()
            if study.export.wants(variant_name(recipe, precision, runtime))
        ]
        for recipe in ["none", *study.compressions]
    }


def draft_artifact(study: Study, reference: Reference, runtime: str) -> Artifact:
    """Return the manifest of an artifact before it is built."""
    card = reference.card
    return Artifact(
        family=card.family,
        recipe=card.recipe,
        precision=study.option("runtimes", runtime).precision,
        quantization="",
        runtime=runtime,
        settings=study.runtimes[runtime],
        preprocessing=reference.preprocessing,
        mean=card.mean,
        input_names=card.input_names,
        std=card.std,
        parameters=card.parameters,
        macs=card.macs,
        activations=card.activations,
        used_weights=card.used_weights,
        used_macs=card.used_macs,
        train_s=0.0 if card.recipe == "none" else card.train_s,
        trained=card.test_score is not None,
        task=card.task,
        varying=card.varying,
    )


def artifact_key(
    stage: str,
    study: Study,
    reference: Reference,
    draft: Artifact,
    more: Mapping[str, Any],
    plugins: Sequence[str] = (),
) -> CacheKey:
    """Return the cache key of an artifact: everything that its content depends on.

    Args:
        more: settings and digests of data, besides the runtime's settings and the limits of the checks.
    """
    scored_on = study.option("runtimes", draft.runtime).scored_on
    modules = [*plugins, *plugin_modules("runtimes", draft.settings), *option_modules("tasks", draft.task)]
    modules += plugin_modules("hardware", {"name": scored_on})
    return CacheKey(
        "artifact",
        {
            "model": [reference.card.key, reference.card.sha256, reference.card.reason],
            "settings": {
                "runtime": draft.settings,
                "precision": draft.precision,
                "task": draft.task,
                "varying": draft.varying,
                **more,
            },
            "checks": study.export.model_dump(exclude={"only"}),
            "machine": read_json(paths.MACHINE),
            "environment": tuning_variables(THREAD_VARIABLES),
            "code": digests_of(stage, modules),
        },
    )
