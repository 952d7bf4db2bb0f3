"""Which extra of `pip install 'breakeven[EXTRA]'` brings a module that is missing."""

# Extra -> the top modules that it installs. The core needs none of them.
MODULES = {
    "pipeline": {
        *("torch", "torchvision", "safetensors", "lightning", "torchmetrics", "sklearn", "PIL", "yaml"),
        *("packaging", "dvc", "hydra", "omegaconf"),
    },
    "tracking": {"mlflow"},
    "report": {"altair", "vl_convert", "jinja2"},
}


def missing(error: ModuleNotFoundError) -> str:
    """Return the sentence that says what to install; "" if no extra brings the module."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in MODULES.items():
        if module in modules:
            return f"this needs {module}, which is not installed: pip install 'breakeven[{extra}]'"
    return ""
