"""Lets Hydra find the options that the package ships, after those of the project."""

from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from breakeven.config import conf_files
from breakeven.core import paths


class ShippedOptions(SearchPathPlugin):
    """Hydra calls it in every program that looks for options, whosesoever they are."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the package's folder, if a project of ours is composed."""
        main = next((entry.path for entry in search_path.get_path() if entry.provider == "main"), None)
        conf = Path((main or "").removeprefix("file://"))
        if not main or conf.name != paths.CONF.name or not (conf.parent / "dvc.yaml").is_file():
            return
        for folder in conf_files.folders(conf)[1:]:
            search_path.append("breakeven", f"file://{folder}")
