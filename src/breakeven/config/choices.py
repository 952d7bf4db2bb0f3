"""The check that the option files of a composition put their settings where their names say.

A copied file with the old `# @package` line would replace the settings of another option without a word.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml

from breakeven.config import conf_files
from breakeven.core.errors import UserError

# Folder in conf/ -> the section in which each of its files has the key of its own name
SECTIONS = {
    "compression": "compressions",
    "runtime": "runtimes",
    "quantization": "quantizations",
    "hardware": "hardware",
}
# Folders whose files have no place of their own: a study, a sweep or a family says where they go
MOUNTED = ("data", "family", "model", "task", "train")
STUDY = "study"
GLOBAL = "_global_"
HEADER = re.compile(r"\s*#\s*@package\s+(\S+)")


class Choice(Protocol):
    """A file that a composition reads, as Hydra's list of defaults describes it."""

    config_path: str | None  # such as "runtime/eager"
    parent: str | None  # the file that selects it
    package: str | None  # where its settings go, such as "runtimes.eager"


@dataclass
class SelectedFile:
    """A file as `Choice` describes it."""

    config_path: str | None
    package: str | None
    parent: str | None = None


def require_own_places(chosen: Iterable[Choice], conf: Path) -> None:
    """Check the place of each option that a composition selects.

    Files that another file of the same folder inherits are not checked.

    Args:
        chosen: the files of the composition.
        conf: the folder that was composed.

    Raises:
        UserError: a file puts its settings somewhere else, or two files put theirs at one place.
    """
    owners: dict[str, Path] = {}
    for group, name, package in _options(chosen):
        file = conf_files.find(conf, f"{group}/{name}.yaml")
        if group in MOUNTED and (line := _header(file)):
            raise UserError(
                f"{file}: remove the line `# @package {line}`: whoever selects a file of {conf / group} says "
                "where its settings go."
            )
        if group == STUDY and package:
            raise UserError(f"{file}: its first line has to be `# @package {GLOBAL}`.")
        if group in SECTIONS:
            _require_own_key(file, SECTIONS[group])
            if package in owners:
                raise UserError(f"{owners[package]} and {file} both set {package}: rename one of them.")
            if package:
                owners[package] = file


def require_all_own_places(conf: Path) -> None:
    """Check the place of every option file in `conf/`, where nobody knows which of them were selected.

    Raises:
        UserError: as of `require_own_places`.
    """
    files = [file for group in (*SECTIONS, STUDY) for file in sorted((conf / group).glob("*.yaml"))]
    require_own_places(
        [
            SelectedFile(f"{file.parent.name}/{file.stem}", _header(file) or file.parent.name)
            for file in files
        ],
        conf,
    )


def require_study_name(chosen: Iterable[Choice], study: object, conf: Path) -> None:
    """Check that a study has the name of its file.

    Args:
        chosen: the files of the composition.
        study: the value of `study` in the composition.
        conf: the folder that was composed.


    Raises:
        UserError: it has another name, by which nobody could compose it again.
    """
    for group, name, _ in _options(chosen):
        if group == STUDY and study != name:
            file = conf_files.find(conf, f"{group}/{name}.yaml")
            raise UserError(f"{file}: `study: {study}` is not the file's name: write `study: {name}`.")


def study_file(study: object, conf: Path) -> Path | None:
    """Return the file in `conf/study` whose `study:` has this value although the file has another name."""
    for file in conf_files.files(conf, f"{STUDY}/*.yaml"):
        if file.stem != study and re.search(
            rf"^study:\s*['\"]?{re.escape(str(study))}['\"]?\s*(#|$)", file.read_text(encoding="utf-8"), re.M
        ):
            return file
    return None


def _options(chosen: Iterable[Choice]) -> Iterable[tuple[str, str, str]]:
    """Yield group, name and package of each option that is selected from outside its own folder."""
    for choice in chosen:
        group, _, name = (choice.config_path or "").partition("/")
        if name and not (choice.parent or "").startswith(f"{group}/"):
            yield group, name, (choice.package or "").removeprefix(GLOBAL).removeprefix(".")


def _require_own_key(file: Path, section: str) -> None:
    """Check that an option's file sets the key of its own name, unless whoever selects it names another."""
    place = f"{section}.{file.stem}"
    header = _header(file)
    if header == place:
        return
    sentence = f"{file}: its first line has to be `# @package {place}`"
    if header not in ("", GLOBAL):
        raise UserError(f"{sentence}, not {header}: each file sets the key of its own name.")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not content:  # a choice without settings, such as compression=none
        return
    settings = content.get(section) if header and isinstance(content, dict) else None
    if not isinstance(settings, dict) or [*settings] != [file.stem]:
        raise UserError(f"{sentence}.")


def _header(file: Path) -> str:
    """Return the package in the first lines of a file, as Hydra reads it; "" without one."""
    if file.is_file() and (found := HEADER.match(file.read_text(encoding="utf-8"))):
        return found[1]
    return ""
