"""Source files -> uint8 tensors, splits, statistics and a manifest."""

from breakeven import config, paths, prepared, store, turns
from breakeven.files import read_json, source_digest
from breakeven.stages.run import run
from breakeven.store import Key


def prepare(name: str) -> None:
    """Prepare the dataset `name`."""
    dataset = config.read().option("datasets", name)
    sources = read_json(paths.fetched(f"datasets/{name}"))
    target = paths.prepared(name)
    key = Key(
        "data",
        {"settings": dataset.model_dump(), "sources": sources, "code": source_digest("data", "prepared")},
    )
    with store.making(key, name):
        if not store.take(key, target):
            with turns.making():
                prepared.prepare(name, dataset, paths.raw_roots(), sources, target)
            store.keep(key, dataset.title, target)
    manifest = prepared.manifest(target)
    counts = ", ".join(f"{sum(counts.values()):,} {part}" for part, counts in manifest.counts.items())
    size = ", ".join(f"{name} {value}" for name, value in manifest.inputs.items())
    print(f"{manifest.title}: {counts} inputs ({size})")


if __name__ == "__main__":
    run(prepare)
