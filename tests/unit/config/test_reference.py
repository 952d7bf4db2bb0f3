"""The reference of all settings: what editors check a params.yaml by."""

from typing import Any

import jsonschema
import pytest
import yaml
from project import ROOT

from breakeven.config import reference

SCHEMA = reference.json_schema()


def settings() -> dict[str, Any]:
    known: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    return known


def test_the_schema_accepts_what_is_composed() -> None:
    jsonschema.validate(settings(), SCHEMA)


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("measure", {"secondss": 1}),
        ("runtimes", {"eager": {"name": "eagre"}}),
        ("compressions", {"half": {"name": "prune", "ratio": "much"}}),
    ],
)
def test_the_schema_refuses_faults(section: str, value: dict[str, Any]) -> None:
    given = settings()
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**given, section: {**given[section], **value}}, SCHEMA)


def test_the_schema_accepts_options_of_the_users_own() -> None:
    given = settings()
    own = {"mine": {"name": "my_package.my_runtime", "speed": 3}}
    jsonschema.validate({**given, "runtimes": {**given["runtimes"], **own}}, SCHEMA)


@pytest.mark.parametrize("name", SCHEMA["$defs"])
def test_every_setting_is_described(name: str) -> None:
    fields = SCHEMA["$defs"][name].get("properties", {})
    without = [key for key, field in fields.items() if not field.get("description") and "const" not in field]
    assert without == []
