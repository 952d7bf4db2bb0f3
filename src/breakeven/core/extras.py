"""The extras: the modules that each of them installs, and the command that installs one."""

from pathlib import Path

# Extra -> the top-level modules that it installs. The core needs none of them.
MODULES = {
    "pipeline": {
        *("torch", "torchvision", "safetensors", "lightning", "torchmetrics", "sklearn", "PIL", "yaml"),
        *("packaging", "dvc", "hydra", "omegaconf"),
    },
    "tracking": {"mlflow"},
    "report": {"altair", "vl_convert", "jinja2"},
    "serve": {
        *("fastapi", "uvicorn", "prometheus_client", "swagger_ui_bundle"),
        *("python_multipart", "uvloop", "httptools", "hdrh"),
    },
}


def missing(error: ModuleNotFoundError) -> str:
    """Return a sentence that says which extra installs the missing module; "" if no extra does."""
    module = (error.name or "").partition(".")[0]
    for extra, modules in MODULES.items():
        if module in modules:
            return f"this needs {module}, which is {not_installed(extra)}"
    return ""


def not_installed(extra: str) -> str:
    """Return the reason of what needs an extra that is not installed, with the command that installs it."""
    return f"not installed: {install_command(extra)}"


def install_command(extra: str = "") -> str:
    """Return the command that installs Breakeven from where it came, with an extra.

    pip notes in direct_url.json (PEP 610) from which folder, file or repository it installed a package. It
    notes nothing for a package of an index. An index may hold another project of this name, so that the
    command names the index's package only if this one came from there.
    """
    # Imported here: each command imports this module when it starts, and few ask for this.
    import json
    from importlib import metadata
    from urllib.parse import unquote, urlsplit

    wanted = f"[{extra}]" if extra else ""
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").exists():
        return f"pip install -e '{_short(checkout)}{wanted}'"
    note = metadata.distribution("breakeven").read_text("direct_url.json")
    if not note:
        return f"pip install 'breakeven{wanted}'"
    source = json.loads(note)
    url = source["url"]
    if "dir_info" in source:
        return f"pip install '{_short(Path(unquote(urlsplit(url).path)))}{wanted}'"
    if "vcs_info" in source:
        url = f"{source['vcs_info']['vcs']}+{url}@{source['vcs_info']['commit_id']}"
    return f"pip install 'breakeven{wanted} @ {url}'"


def _short(folder: Path) -> str:
    return "." if folder == Path.cwd() else str(folder)
