"""Source files -> uint8 tensors, splits, statistics and a manifest."""

from breakeven import config, paths, prepared, store, turns
from breakeven.files import read_json, source_digests
from breakeven.provenance import own
from breakeven.stages.run import run
from breakeven.store import Key

CODE = source_digests("data", "prepared")  # what is edited from here on is not what runs


def prepare(name: str) -> None:
    """Prepare the dataset `name`."""
    study = config.read()
    dataset = study.option("datasets", name)
    sources = read_json(paths.fetched(f"datasets/{name}"))
    target = paths.prepared(name)
    key = Key(
        "data",
        {
            "settings": dataset.model_dump(),
            "sources": sources,
            "own": own(study.datasets[name]),
            "code": CODE,
        },
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
