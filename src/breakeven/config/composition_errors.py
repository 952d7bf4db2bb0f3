"""Sentences about errors of Hydra and YAML: the file, the line, the cause and the names that exist."""

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from breakeven.config import conf_files
from breakeven.core.plugin import did_you_mean

ERRORS = (HydraException, OmegaConfBaseException, yaml.YAMLError)  # that a composition raises
LIBRARIES = ("hydra", "omegaconf", "antlr4", "yaml", "codecs")
NOISE = ("See https", "Config search path", "provider=", "Set the environment", "object_type=", "Traceback")


def is_of_composition(error: BaseException) -> bool:
    """Return whether Hydra, OmegaConf or their parsers raised an error, and no code of ours.

    They raise their own classes for most mistakes in `conf/`, and Python's, such as ValueError, for others.
    """
    if isinstance(error, ERRORS):
        return True
    if not isinstance(error, Exception) or error.__traceback__ is None:
        return False
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    module = str(place.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in LIBRARIES


def override_fault(overrides: Sequence[str], conf: Path) -> str:
    """Return a sentence about the first override that Hydra's grammar does not allow; "" if it allows all."""
    for override in overrides:
        key, equals, value = override.lstrip("+~").partition("=")
        if not key or (not equals and not override.startswith("~")):
            return f"{override}: an override is KEY=VALUE, for example seed=1 or study=reference."
        try:
            (parsed,) = OverridesParser.create().parse_overrides([override])
        except OverrideParseException as error:
            reason = error.message.partition("\n")[0]
            why = "" if reason.startswith("Lexer") else f" ({reason})"
            quoted = value.replace('"', "").replace("'", "")
            return (
                f"{override}: Hydra's grammar does not allow this value{why}: close its brackets and "
                f"quotes, and put a text with = , : or brackets in quotes: `'{key}=\"{quoted}\"'`."
            )
        is_choice = conf_files.is_group(conf, key.partition("@")[0]) and not override.startswith("~")
        if is_choice and not parsed.is_sweep_override() and not isinstance(parsed.value(), str | list | dict):
            return f"{override}: a choice is the name of a file in {conf / key.partition('@')[0]}, or a list."
    return ""


def file_fault(error: BaseException, conf: Path) -> str:
    """Return a sentence with file and line about a file in `conf/` that cannot be read; "" if all can."""
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark or error.context_mark):
        return f"{_shown(mark.name, conf)}:{mark.line + 1}: this is no YAML: {error.problem}."
    if isinstance(error, yaml.reader.ReaderError):
        return f"{_shown(error.name, conf)}: this is no YAML: it has {_character(error.character)}."
    if isinstance(error, UnicodeDecodeError):
        for path in conf_files.files(conf):
            try:
                path.read_text(encoding="utf-8")
            except UnicodeDecodeError as fault:
                line = path.read_bytes()[: fault.start].count(b"\n") + 1
                return f"{path}:{line}: this is not UTF-8: save the file as UTF-8."
    return ""


def missing_option(error: BaseException, conf: Path) -> str:
    """Return a sentence about an option that a file selects and that does not exist; "" otherwise."""
    missing = getattr(error, "missing_cfg_file", None)
    if not isinstance(error, MissingConfigException) or not missing:
        missing = _first(r"Could not load '([^']+)'", str(error))
        if not missing:
            return ""
    group, _, option = str(missing).rpartition("/")
    if not group:
        return f"{conf / option}.yaml is missing."
    options = conf_files.options(conf, group)
    parent = _first(r"In '([^']+)'", str(error)) or ""
    line = _line_of(conf_files.find(conf, f"{parent}.yaml"), option)
    return f"{line}: {group}={option}: {did_you_mean(option, options)}"


def sentence(error: BaseException) -> str:
    """Return all that an error of Hydra says in one sentence, without addresses and search paths."""
    text = str(error) or str(error.__cause__ or type(error).__name__)
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(NOISE) and line.strip("^ ")]
    return " ".join(dict.fromkeys(lines)).rstrip(".") + "."


def placed_sentence(error: BaseException, conf: Path) -> str:
    """Return what an error says, after the file and the line in `conf/` if the error names them."""
    where, said = str(conf), sentence(error)
    parent = _first(r"^In '([^']+)': ", said)
    if parent and (file := conf_files.find(conf, f"{parent}.yaml")).is_file():
        said = said.partition(": ")[2]
        where = _line_of(file, (_first(r"'([^']+)'", said) or "").rpartition("/")[2])
    elif key := _first(r"Interpolation key '([^']+)'", said):
        found = (_line_of(path, f"${{{key}") for path in conf_files.files(conf))
        where = next((each for each in found if ":" in each), where)
    return f"{where}: {said}"


def _line_of(path: Path, text: str) -> str:
    """Return FILE:LINE of the first line that holds `text`; FILE if no line does."""
    lines = path.read_text(encoding="utf-8").splitlines() if text and path.is_file() else []
    number = next((at for at, line in enumerate(lines, start=1) if text in line.partition("#")[0]), None)
    return f"{path}:{number}" if number else str(path)


def _shown(name: object, conf: Path) -> str:
    """Return the path of a file in `conf/` as a user would write it."""
    path, folder = Path(str(name)), conf.resolve()
    return str(conf / path.relative_to(folder)) if path.is_relative_to(folder) else str(path)


def _character(found: int | str) -> str:
    return f"the character U+{found:04X}" if isinstance(found, int) else repr(found)


def _first(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found[1] if found else None
