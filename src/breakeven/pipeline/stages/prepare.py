"""Source files -> uint8 tensors, splits, statistics and a manifest."""

from breakeven.artifacts import dataset as dataset_files
from breakeven.config import schema
from breakeven.core import cache, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.files import read_json, source_digests
from breakeven.core.source_digest import own
from breakeven.pipeline.prepare_dataset import prepare as prepare_dataset
from breakeven.pipeline.stages._main import run

CODE = source_digests(
    "plugins/datasets", "artifacts/dataset", "pipeline/prepare_dataset"
)  # what is edited from here on is not what runs


def prepare(name: str) -> None:
    """Prepare the dataset `name`."""
    study = schema.read_study()
    dataset = study.option("datasets", name)
    sources = read_json(paths.fetched(f"datasets/{name}"))
    target = paths.prepared(name)
    key = CacheKey(
        "data",
        {
            "settings": dataset.model_dump(),
            "sources": sources,
            "own": own(study.datasets[name]),
            "code": CODE,
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


if __name__ == "__main__":
    run(prepare)
