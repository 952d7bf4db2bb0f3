"""The registry of columns, against the row that they are columns of."""

from dataclasses import fields

from breakeven.results import columns
from breakeven.results.result_row import ResultRow

# Properties of a row: the scores of a classifier, under their usual names
ALIASES = {
    name: str(property_.fget.__annotations__["return"])
    for name, property_ in vars(ResultRow).items()
    if isinstance(property_, property) and name.startswith("accuracy")
}


def test_each_field_of_a_row_is_one_column() -> None:
    names = [*(field.name for field in fields(ResultRow)), *ALIASES]
    assert sorted(columns.column_names()) == sorted(names)


def test_kinds_are_those_of_the_values() -> None:
    types = {field.name: str(field.type) for field in fields(ResultRow)} | ALIASES
    kinds = {column.name: column.kind for column in columns.COLUMNS}
    assert [n for n, kind in kinds.items() if (kind == "flag") != ("bool" in types[n])] == []
    numbers = [n for n in types if ("int" in types[n] or "float" in types[n]) and kinds[n] != "name"]
    assert sorted(columns.column_names("figure")) == sorted(numbers)
    assert columns.column_names("calls") == [n for n in types if n.startswith("breakeven_calls")]


def test_a_unit_in_a_name_is_the_unit() -> None:
    units = {"_ms": "ms", "_mb": "MB", "_s": "s"}
    for column in columns.COLUMNS:
        ending = next((unit for end, unit in units.items() if column.name.endswith(end)), None)
        if ending and not column.name.endswith("_per_s"):
            assert column.unit == ending, column.name
