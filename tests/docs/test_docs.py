"""Links in the documentation lead somewhere, and every page can be reached."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from project import ROOT
from results_picture import published_rows
from write_reference import PARTS

from breakeven.results import columns

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")] + sorted((ROOT / "docs").rglob("*.md"))
# Users or stages write these.
USERS_FOLDERS = ("my_runtimes/", "data/", "results/", "models/", "artifacts/")
USERS_FILES = (
    "conf/hardware/cpu4.yaml",
    "conf/data/mine.yaml",
    "conf/family/mine.yaml",
    "conf/study/mine.yaml",
    "conf/runtime/exported_program.yaml",
)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")  # of Markdown, of a picture in HTML


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for link in map("".join, LINK.findall(page.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or anchor in anchors(target), f"{page.name}: {link}"


FILE = re.compile(r"`((?:[\w-]+/)+[\w-]+\.(?:py|yaml|html|css|js|cpp|hpp|sh))`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_in_backticks_exist(page: Path) -> None:
    for name in FILE.findall(page.read_text(encoding="utf-8")):
        if name.startswith(USERS_FOLDERS) or name in USERS_FILES:
            continue
        folders = (ROOT, ROOT / "src/breakeven", page.parent)
        assert any((folder / name).exists() for folder in folders), f"{page.name}: {name}"


@pytest.mark.parametrize("name", PARTS)
def test_what_is_made_from_the_code_is_current(name: str) -> None:
    if name == "docs/reference/commands.md" and sys.version_info >= (3, 13):
        pytest.skip("argparse of Python 3.13 writes options in another way")
    changed = ["git", "diff", "--quiet", "HEAD", "--", "results/summary.csv"]
    if name == "docs/numbers.md" and subprocess.run(changed, cwd=ROOT, check=False).returncode == 1:
        pytest.skip(
            "its example is of the committed results; here a user's own `make repro` has replaced them"
        )
    text = (ROOT / name).read_text(encoding="utf-8")
    assert PARTS[name](text) == text, "run: make reference"


@pytest.mark.parametrize("name", ["speedup", "speedup-dark"])
def test_the_picture_of_the_readme_shows_the_published_figures(name: str) -> None:
    svg = (ROOT / f"docs/images/reference/{name}.svg").read_text(encoding="utf-8")
    marks = re.findall(r'"low: ([\d.]+); variant: ([^;]+); high: ([\d.]+);', svg)
    shown = {variant: (float(low), float(high)) for low, variant, high in marks}
    published = {row.variant: (row.speedup_ci_low, row.speedup_ci_high) for row in published_rows()}
    assert shown == published, "run: make screenshots"


def test_every_column_is_explained() -> None:
    text = (ROOT / "docs/numbers.md").read_text(encoding="utf-8")
    assert columns.markdown_table() in text and all(column.description for column in columns.COLUMNS)


def test_every_page_is_in_the_navigation() -> None:
    listed = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]

    def pages(entry: object) -> set[str]:
        if isinstance(entry, dict | list):
            inner = entry.values() if isinstance(entry, dict) else entry
            return set().union(*(pages(each) for each in inner))
        return {str(entry)}

    assert pages(listed) == {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
