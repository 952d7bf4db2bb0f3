"""The names of a training's figures in MLflow. Their prefixes group MLflow's charts."""

from collections.abc import Mapping

# Figures that do not change while a model trains: as metrics, each would be a chart with a single dot.
CONSTANTS = {
    **{"parameters": "params", "macs": "macs", "activations": "activations"},
    **{"megabytes": "model_mb", "train_s": "train_s"},
}
PREFIXES = ("train", "val")
OF_TRAINING = {"lr": "train/lr"}
LEFT_OUT = ("seconds",)  # a straight line; the run itself says how long it took


def split(figures: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return a step's metrics, and its constants, under their names in MLflow."""
    metrics = {_metric(name): value for name, value in figures.items() if name not in (*CONSTANTS, *LEFT_OUT)}
    constants = {CONSTANTS[name]: value for name, value in figures.items() if name in CONSTANTS}
    return metrics, constants


def _metric(name: str) -> str:
    prefix, _, rest = name.partition("_")
    if prefix in PREFIXES and rest:
        return f"{prefix}/{rest}"
    return OF_TRAINING.get(name, name)
