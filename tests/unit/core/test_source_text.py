"""Which edits of a Python file count, and that every version of Python finds the same."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import ROOT

from breakeven.core.errors import UserError
from breakeven.core.source_memory import SourceMemory, parse
from breakeven.core.source_text import code_lines

CODE = '''\
"""What it is."""
# A comment

def double(x):  # twice
    """Return twice `x`."""

    text = """two lines,~~~
# no comment

and a blank one"""
    return f"{x * 2:#x} # {text}"


class Empty:
    "Has only a docstring."
'''.replace("~", " ")


def lines(text: str) -> list[bytes]:
    return code_lines(text, ast.parse(text))


def digest(text: str) -> str:
    return parse(Path("file.py"), text.encode()).digest


def test_what_is_left_of_a_file() -> None:
    assert b"\n".join(lines(CODE)).decode() == (
        'def double(x):\n    text = """two lines,   \n# no comment\n\nand a blank one"""\n'
        '    return f"{x * 2:#x} # {text}"\nclass Empty:'
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it is.", "What it is, in other words.\n\nAnd more of them."),
        ("# A comment\n", ""),
        ("# A comment", "# Another: größer als ß"),
        ("  # twice", ""),
        ("Return twice `x`.", "Give back 2 * `x`: größer."),
        ('"""Return twice `x`."""\n', '"""Return twice `x`.""" # said\n'),
        ('`x`."""\n\n', '`x`."""\n'),
        ("\n\nclass", "\n\n\n\nclass"),
        ('x * 2:#x} # {text}"', 'x * 2:#x} # {text}"  # hexadecimal'),
        ("def double(x):", "def double(x):   "),
        ("\n", "\r\n"),
        ("Has only a docstring.", "It is empty."),
    ],
)
def test_an_edit_that_changes_nothing_is_not_seen(old: str, new: str) -> None:
    assert old in CODE
    assert digest(CODE.replace(old, new)) == digest(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x * 2", "x * 3"),
        ("# no comment", "# no remark"),
        ("two lines,   ", "two lines,"),
        ("comment\n\nand", "comment\nand"),
        ("# {text}", "% {text}"),
        (":#x}", ":x}"),
        ("    return", "        \n    if x:\n        return"),
        ("class Empty", "class empty"),
        ('    "Has', '    text = "Has'),
    ],
)
def test_an_edit_that_may_change_something_is_seen(old: str, new: str) -> None:
    assert old in CODE
    assert digest(CODE.replace(old, new)) != digest(CODE)


@given(
    st.lists(
        st.sampled_from(["x = 1", "y = '#'", 'z = """a\n\n b  \n"""', "if x:\n    pass", "f'{x}#{y!r:>3}'"])
    ),
    st.lists(st.sampled_from(["# a remark", "", "   ", "#", '# \'quoted\' """ text']), min_size=1),
)
def test_comments_and_blank_lines_between_statements_never_count(code: list[str], between: list[str]) -> None:
    bare = ["start = 0", *code]
    commented = "\n".join(part for line in bare for part in (*between, line))
    assert lines(commented) == lines("\n".join(bare))


def test_a_file_with_only_a_docstring_says_nothing() -> None:
    assert digest('"""A package."""\n\n# Nothing else\n') == ""


def test_what_was_parsed_before_is_found_again(tmp_path: Path) -> None:
    memory = SourceMemory(tmp_path / "kept.json")
    first = memory.parse(Path("a.py"), CODE.encode())
    memory.save()
    entries = json.loads((tmp_path / "kept.json").read_text())
    assert len(entries["files"]) == 1
    assert SourceMemory(tmp_path / "kept.json").parse(Path("b.py"), CODE.encode()) == first
    (key,) = entries["files"]
    entries["files"][key]["digest"] = "remembered"
    (tmp_path / "kept.json").write_text(json.dumps(entries))
    assert SourceMemory(tmp_path / "kept.json").parse(Path("b.py"), CODE.encode()).digest == "remembered"
    (tmp_path / "kept.json").write_text(json.dumps({**entries, "parser": "another"}))
    assert SourceMemory(tmp_path / "kept.json").parse(Path("b.py"), CODE.encode()) == first
    (tmp_path / "kept.json").write_text("{")
    assert SourceMemory(tmp_path / "kept.json").parse(Path("b.py"), CODE.encode()) == first


@pytest.mark.parametrize("content", [b"class Net(\n", b"x = '\xff'", b"x = 1\0"])
def test_what_python_cannot_read_is_an_error_of_one_sentence(content: bytes) -> None:
    with pytest.raises(UserError, match=r"net\.py.*Python cannot read it"):
        parse(Path("net.py"), content)


# Parses every file of the package, and finds every file of each stage, with the standard library alone.
PROGRAM = """
import json, sys, types
from pathlib import Path
package = types.ModuleType("breakeven")  # whose own `__init__` may need more than the standard library
package.__path__ = [f"{sys.argv[1]}/breakeven"]
sys.modules["breakeven"] = package
from breakeven.core.source_memory import parse
from breakeven.core.source_digest import digests_of
parsed = {str(p): parse(p, p.read_bytes()).digest for p in sorted(Path(sys.argv[1]).rglob("*.py"))}
plugins = [f"breakeven.plugins.{name}" for name in json.loads(sys.argv[2])]
stages = ("prepare", "train", "compress", "export", "quantize", "benchmark", "report")
print(json.dumps([parsed, {stage: digests_of(stage, plugins) for stage in stages}]))
"""
VERSIONS = ("3.11", "3.12", "3.13")
PLUGINS = ["datasets.digits", "compression.prune", "runtimes.libtorch", "quantization.pt2e", "hardware.cuda"]


def interpreters() -> list[Path]:
    """Return one interpreter of each supported version that lies beside the one that runs the tests."""
    beside = Path(sys.base_prefix).parent
    found = [next(iter(sorted(beside.glob(f"{version}.*/bin/python"))), None) for version in VERSIONS]
    return [path for path in found if path]


@pytest.mark.skipif(len(interpreters()) < 2, reason="other versions of Python are not here")
@pytest.mark.slow
def test_every_version_of_python_finds_the_same(tmp_path: Path) -> None:
    found = []
    for python in interpreters():
        command = [str(python), "-S", "-c", PROGRAM, str(ROOT / "src"), json.dumps(PLUGINS)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={})
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    assert len(found[0][0]) > 150 and "cpp/src/worker.cpp" in found[0][1]["export"]
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize(
    "damage", [b"\xb8\x00garbage", b"[]", b"{", None], ids=["garbage", "list", "cut", "folder"]
)
def test_a_damaged_memory_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    kept = tmp_path / "kept.json"
    if damage is None:
        kept.mkdir()
    else:
        kept.write_bytes(damage)
    memory = SourceMemory(kept)
    first = memory.parse(Path("b.py"), CODE.encode())
    memory.save()
    assert kept.is_file() and SourceMemory(kept).parse(Path("b.py"), CODE.encode()) == first
