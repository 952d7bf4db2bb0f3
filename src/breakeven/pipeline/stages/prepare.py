"""The stage `prepare`: from source files to tensors, splits, statistics and a manifest."""

import sys

from breakeven.artifacts import dataset as dataset_files
from breakeven.config import schema
from breakeven.core import cache, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.files import read_json
from breakeven.core.source_digest import digests_of
from breakeven.pipeline.option_code import option_modules
from breakeven.pipeline.prepare_dataset import prepare as prepare_dataset
from breakeven.pipeline.stages._main import run


def prepare(name: str) -> None:
    """Prepare the dataset `name`."""
    study = schema.read_study(checked=True)
    dataset = study.option("datasets", name)
    sources = read_json(paths.fetched(f"datasets/{name}"))
    target = paths.prepared(name)
    key = CacheKey(
        "data",
        {
            "settings": dataset.model_dump(),
            "sources": sources,
            "code": digests_of("prepare", option_modules("datasets", study.datasets[name])),
        },
    )
    with cache.exclusive(key, name):
        if not cache.restore(key, target):
            with machine_lock.shared():
                prepare_dataset(name, dataset, paths.raw_roots(), sources, target)
            cache.save(key, dataset.title, target)
    manifest = dataset_files.manifest(target)
    counts = ", ".join(f"{sum(counts.values()):,} {part}" for part, counts in manifest.counts.items())
    size = ", ".join(f"{name} {value}" for name, value in manifest.inputs.items())
    print(f"{manifest.title}: {counts} inputs ({size})")
    for warning in manifest.warnings:
        print(f"warning: {manifest.title}: {warning['text']}; {warning['remedy']}", file=sys.stderr)


if __name__ == "__main__":
    run(prepare)
