"""Source files -> uint8 tensors, splits, statistics and a manifest."""

from breakeven import config, paths, prepared
from breakeven.files import read_json
from breakeven.stages.run import run


def prepare(name: str) -> None:
    """Prepare the dataset `name`."""
    dataset = config.read().option("datasets", name)
    sources = read_json(paths.fetched(f"datasets/{name}"))
    manifest = prepared.prepare(name, dataset, paths.raw_roots(), sources, paths.prepared(name))
    images = ", ".join(f"{sum(counts.values()):,} {part}" for part, counts in manifest.counts.items())
    print(f"{manifest.title}: {images} images of {manifest.channels}x{manifest.height}x{manifest.width}")


if __name__ == "__main__":
    run(prepare)
