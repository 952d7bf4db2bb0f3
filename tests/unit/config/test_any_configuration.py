"""Whatever is configured, it composes to a study, or is refused by sentences; there is never a traceback."""

import copy
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st
from project import ROOT

from breakeven.config import compose, schema
from breakeven.config.reference import json_schema
from breakeven.core.errors import UserError
from breakeven.pipeline.sweep import job_study

CONF = ROOT / "conf"
SCHEMA = json_schema()
DEFAULT = yaml.safe_load(compose.compose(conf=CONF))
GROUPS: dict[str, list[str]] = {}
for option in sorted(CONF.glob("*/*.yaml")):
    GROUPS.setdefault(option.parent.name, []).append(option.stem)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=12)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.sampled_from(["???", "none", "eager"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


SIMPLE = {
    "boolean": lambda field: st.booleans(),
    "null": lambda field: st.none(),
    "string": lambda field: TEXT,
    "array": lambda field: st.lists(values(field.get("items", {})), max_size=3),
    "integer": lambda field: st.integers(field.get("minimum"), field.get("maximum")) | st.integers(-2, 300),
    "number": lambda field: (
        st.floats(field.get("minimum"), field.get("maximum"), allow_nan=False) | st.integers(-2, 100)
    ),
}


def values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the schema allows at a key, as far as the schema says it."""
    if "$ref" in field:
        return values(SCHEMA["$defs"][field["$ref"].rpartition("/")[2]])
    if "anyOf" in field:
        return st.one_of([values(each) for each in field["anyOf"]])
    if "enum" in field or "const" in field:
        return st.sampled_from(field.get("enum", [field.get("const")]))
    if "properties" in field:
        required = {key: values(field["properties"][key]) for key in field.get("required", [])}
        rest = {key: values(each) for key, each in field["properties"].items() if key not in required}
        return st.fixed_dictionaries(required, optional=rest)
    return SIMPLE.get(field.get("type", ""), lambda field: JUNK)(field)


def fields(
    node: Any, field: dict[str, Any], place: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Any]]:
    """Every place of a composition or of the schema, with the schema's own part for it."""
    if "$ref" in field:
        field = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]]
    options = field.get("anyOf", [])
    if options and isinstance(node, dict):
        name = {"const": node.get("name")}
        matching = [SCHEMA["$defs"].get(each.get("$ref", "").rpartition("/")[2], each) for each in options]
        field = next(
            (each for each in matching if each.get("properties", {}).get("name") == name), matching[0]
        )
        if "$ref" in field:
            field = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]]
    found = [(place, field)] if place else []
    inner = dict(field.get("properties", {}))
    if isinstance(node, dict):
        inner |= {key: inner.get(key, field.get("additionalProperties") or {}) for key in node}
    for key, each in inner.items():
        below = node.get(key) if isinstance(node, dict) else None
        found += fields(below, each if isinstance(each, dict) else {}, (*place, key))
    return found


PLACES = fields(DEFAULT, SCHEMA)
KEYS = [".".join(place) for place, _ in PLACES]


@cache
def strategy(number: int) -> st.SearchStrategy[Any]:
    return values(PLACES[number][1]) | JUNK


@st.composite
def overrides(draw: st.DrawFn) -> str:
    """An override as somebody might type it: right, nearly right, or not at all."""
    form = draw(st.sampled_from(["value", "value", "choice", "choice", "mount", "typo", "text"]))
    prefix = draw(st.sampled_from(["", "", "", "", "+", "++", "~"]))
    if form == "text":
        return draw(TEXT)
    if form in ("choice", "mount"):
        group = draw(st.sampled_from([*GROUPS, "hydra/launcher"]))
        name = st.sampled_from(GROUPS.get(group, ["basic"])) | st.sampled_from(["nosuch", "cpu", ""])
        chosen = draw(name | st.lists(name, max_size=3).map(lambda names: f"[{','.join(names)}]"))
        mounted = f"@{draw(st.sampled_from(KEYS))}" if form == "mount" else ""
        return f"{prefix}{group}{mounted}={chosen}"
    number = draw(st.integers(0, len(PLACES) - 1))
    key = KEYS[number]
    if form == "typo":
        at = draw(st.integers(0, len(key) - 1))
        key = key[:at] + draw(st.sampled_from(["", ".", "x", "_"])) + key[at + 1 :]
    value = draw(strategy(number))
    text = draw(st.sampled_from([compose.literal, str]))(value)
    return f"{prefix}{key}={text}"


def require_sentences(error: UserError) -> None:
    lines = str(error).splitlines()
    assert lines and all(line.strip() and line.rstrip().endswith(".") for line in lines), str(error)
    assert "Traceback" not in str(error)


def is_composed_or_told(words: list[str]) -> None:
    try:
        text, completed = compose.compose_completed(words, CONF)
        assert len(completed) == len(words)
        schema.validate(yaml.safe_load(text))
    except UserError as error:
        require_sentences(error)


def is_job_or_told(words: list[str]) -> None:
    try:
        composed, choices = compose.compose_with_choices(words, CONF, "sweep")
        job_study.study_of(composed, job_study.family_of(choices), words)
    except UserError as error:
        require_sentences(error)


@st.composite
def studies(draw: st.DrawFn) -> Any:
    """The default study with some values from the schema, from anywhere, or missing."""
    study = copy.deepcopy(DEFAULT)
    for number in draw(st.lists(st.integers(0, len(PLACES) - 1), min_size=1, max_size=4)):
        *parents, last = PLACES[number][0]
        node = study
        for part in parents:
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, dict):
            if draw(st.integers(0, 5)):
                node[last] = draw(strategy(number))
            else:
                node.pop(last, None)
    return study


def is_valid_or_told(study: Any) -> None:
    try:
        schema.validate(study)
    except UserError as error:
        require_sentences(error)


QUICK = settings(max_examples=8, suppress_health_check=list(HealthCheck))
MANY = settings(max_examples=2000, suppress_health_check=list(HealthCheck))
WORDS = st.lists(overrides(), min_size=1, max_size=4)


@QUICK
@given(WORDS)
def test_an_override_composes_or_is_told(words: list[str]) -> None:
    is_composed_or_told(words)


@QUICK
@example(["family=[]"])
@example(["family=[cnn,resnet18]"])
@given(WORDS)
def test_a_job_of_a_sweep_composes_or_is_told(words: list[str]) -> None:
    is_job_or_told(words)


@settings(QUICK, max_examples=100)
@given(studies())
def test_a_study_is_valid_or_told(study: Any) -> None:
    is_valid_or_told(study)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@seed(0)
@MANY
@given(WORDS)
def test_two_thousand_overrides_compose_or_are_told(words: list[str]) -> None:
    is_composed_or_told(words)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@seed(0)
@MANY
@given(studies())
def test_two_thousand_studies_are_valid_or_told(study: Any) -> None:
    is_valid_or_told(study)
