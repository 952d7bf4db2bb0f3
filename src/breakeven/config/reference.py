"""The reference of all settings and their JSON schema, made from the classes that check the settings."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from breakeven.config.sections import Steps
from breakeven.config.study import OPTION_GROUPS, Study
from breakeven.core.plugin import Plugin, names

# Section of the configuration -> the package of its options. A compression can also be a list of steps.
OPTION_SECTIONS = {**OPTION_GROUPS, "compressions": "compression"}
BOUND_WORDS = {
    "exclusiveMinimum": "above {}",
    "minimum": "at least {}",
    "exclusiveMaximum": "below {}",
    "maximum": "at most {}",
    "minItems": "at least {} of them",
}
PAGE_HEAD = """# All settings

`breakeven compose KEY=VALUE` sets any of them, for example `breakeven compose measure.seconds=60`; their
values in each study are in `conf/`. A key without a default has its value from `conf/`. [The same as a JSON
schema](params.schema.json) lets an editor complete and check a `params.yaml`: in VS Code, give it to the YAML
extension under `yaml.schemas`.

This page is made by `make reference` from the models that check the settings.
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of `params.yaml`, with the settings of all options."""
    schema = Study.model_json_schema()
    definitions = schema["$defs"]
    for section, group in OPTION_SECTIONS.items():
        references = []
        for name in names(group):
            plugin = _plugin(group, name)
            option = plugin.model_json_schema()
            texts = _described(plugin)
            for key, field in option["properties"].items():
                field.setdefault("description", texts.get(key, ""))
            definitions.update(option.pop("$defs", {}))
            option["properties"]["name"] = {"const": name}
            definitions[f"{group}.{name}"] = option
            references.append({"$ref": f"#/$defs/{group}.{name}"})
        # A name with a dot is a user's own module, whose settings are unknown here.
        own_module = {"type": "object", "properties": {"name": {"pattern": r"\."}}, "required": ["name"]}
        allowed: dict[str, Any] = {"anyOf": [*references, own_module]}
        if section == "compressions":
            steps = Steps.model_json_schema()
            steps["properties"]["steps"]["items"] = {"anyOf": [*references, own_module]}
            allowed["anyOf"].append(steps)
        schema["properties"][section]["additionalProperties"] = allowed
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def markdown_page() -> str:
    """Return the reference as a page of Markdown, with a table for each section and for each option."""
    schema = json_schema()
    definitions = schema["$defs"]
    parts = [PAGE_HEAD, "## The study", _table(schema, definitions)]
    for key in ("Family", "TrainingConfig", "Export", "Measure", "Server", "Recommend"):
        definition = definitions[key]
        parts += [f"## {_dotted_key(key)}", _first_line(definition), _table(definition, definitions)]
    for section, group in OPTION_SECTIONS.items():
        parts.append(f"## Options of {section}")
        for name in names(group):
            definition = definitions[f"{group}.{name}"]
            parts += [f"### {section}: {name}", _first_line(definition), _table(definition, definitions)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _plugin(group: str, name: str) -> type[Plugin]:
    """Return the class of an option."""
    module = importlib.import_module(f"breakeven.plugins.{group}.{name}")
    (plugin,) = (
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__
    )
    return plugin


def _described(plugin: type[Plugin]) -> dict[str, str]:
    """Return attribute -> its text in the docstring of the plugin, or else of its nearest base class."""
    texts: dict[str, str] = {}
    for parent in plugin.__mro__:
        _, _, section = inspect.cleandoc(parent.__doc__ or "").partition("Attributes:\n")
        for name, text in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE):
            texts.setdefault(name, " ".join(text.split()))
    return texts


def _dotted_key(definition: str) -> str:
    """Return the dotted key of a definition's settings in the configuration."""
    special = {"Family": "families.NAME", "TrainingConfig": "families.NAME.train", "Server": "measure.server"}
    return special.get(definition, definition.lower())


def _first_line(definition: dict[str, Any]) -> str:
    return str(definition.get("description", "")).partition("\n")[0]


def _table(definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return a table of the settings of one object; "" if it has none."""
    lines = [
        f"| `{key}` | {_type(field, definitions)} | {_default(field)} | {_meaning(field)} |"
        for key, field in definition["properties"].items()
        if "const" not in field
    ]
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *lines]) if lines else ""


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return ""
    value = field["default"]
    return "`null`" if value is None else f"`{value}`"


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return the values that a setting takes, in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return (
            _type(definitions[name], definitions)
            if "enum" in definitions[name]
            else f"{_dotted_key(name)}, below"
        )
    if "anyOf" in field:
        return " or ".join(_type(choice, definitions) for choice in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    return ", ".join([_kind(field, definitions), *_bounds(field)])


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    kind: str = field.get("type", "any")
    if kind == "array" and "items" in field:
        return f"list of {_type(field['items'], definitions)}"
    return {"object": "mapping", "integer": "whole number", "boolean": "true or false", "null": "null"}.get(
        kind, kind
    )


def _bounds(field: dict[str, Any]) -> Iterator[str]:
    for keyword, text in BOUND_WORDS.items():
        if keyword in field:
            yield text.format(field[keyword])


def _meaning(field: dict[str, Any]) -> str:
    """Return the description of a setting, with `|` escaped so that it does not end its cell of a table."""
    return str(field.get("description", "")).replace("|", "\\|")
