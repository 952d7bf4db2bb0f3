"""How to load an artifact: the page shows the programs that the report shows."""

import re
from dataclasses import replace

import pytest
from model_cards import LOADED_RUNTIMES as SETTINGS
from model_cards import UNTRAINED
from project import ROOT
from rows import row

from breakeven.artifacts.model_manifest import ImageInput
from breakeven.report.load_snippet import Loading, snippets

CARD = replace(  # the CNN of the quick study
    UNTRAINED,
    title="digits",
    shape=ImageInput(channels=1, height=8, width=8, classes=10),
    mean=[0.305233],
    std=[0.375918],
)


@pytest.mark.parametrize("runtime", SETTINGS)
def test_the_page_shows_the_programs_of_the_report(runtime: str) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/load.md").read_text(), re.M | re.S)
    own, native = snippets(row(f"none/fp32/{runtime}"), [CARD], Loading(SETTINGS))
    assert native.text.strip() + "\n" in programs
    if runtime == "onnxruntime":
        assert own.text.strip() + "\n" in programs
