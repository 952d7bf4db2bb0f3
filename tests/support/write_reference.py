"""Write what is made from the code in the documentation: `make reference`."""

import json
import re
from collections.abc import Callable

from code_pages import api_page, commands_page
from project import ROOT

from breakeven.config import reference
from breakeven.results import columns

TABLE = re.compile(r"\| column \| unit \|[^\n]*\n(?:\|[^\n]*\n)*")


def with_columns(page: str) -> str:
    """Return a page with the table of all columns as it is now."""
    return TABLE.sub(lambda _: columns.markdown_table() + "\n", page)


PARTS: dict[str, Callable[[str], str]] = {
    "docs/numbers.md": with_columns,
    "docs/reference/configuration.md": lambda _: reference.markdown_page(),
    "docs/reference/commands.md": lambda _: commands_page(),
    "docs/reference/api.md": lambda _: api_page(),
    "docs/reference/params.schema.json": lambda _: json.dumps(reference.json_schema(), indent=1) + "\n",
}


def main() -> None:
    """Write all of them."""
    for name, render in PARTS.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
