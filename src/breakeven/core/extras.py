"""The extras of `pip install 'breakeven[EXTRA]'`, and the modules that each of them installs."""

# Extra -> the top-level modules that it installs. The core needs none of them.
MODULES = {
    "pipeline": {
        *("torch", "torchvision", "safetensors", "lightning", "torchmetrics", "sklearn", "PIL", "yaml"),
        *("packaging", "dvc", "hydra", "omegaconf"),
    },
    "tracking": {"mlflow"},
    "report": {"altair", "vl_convert", "jinja2"},
}


def missing(error: ModuleNotFoundError) -> str:
    """Return a sentence that says which extra installs the missing module; "" if no extra does."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in MODULES.items():
        if module in modules:
            return f"this needs {module}, which is not installed: pip install 'breakeven[{extra}]'"
    return ""
