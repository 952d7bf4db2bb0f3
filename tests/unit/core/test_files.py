"""Files are either whole or not there, and digests are checked before use."""

import errno
import hashlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.core.digests import digest_of, fingerprint, require_sha256, sha256
from breakeven.core.errors import UserError
from breakeven.core.files import (
    SCRATCH_PREFIX,
    UNFINISHED_SUFFIX,
    atomic,
    atomic_folder,
    copy_folder,
    leftovers,
    read_json,
    read_memory,
    temporary_folder,
    write_json,
    write_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def tree(folder):
    """Every file below `folder`, hidden ones too, with its content."""
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def write_and_fail(path):
    with atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def fill_and_fail(path):
    with atomic_folder(path) as temporary:
        (temporary / "new").write_text("half")
        raise KeyboardInterrupt


def test_a_write_that_fails_leaves_the_old_content_and_no_other_file(tmp_path):
    write_text(tmp_path / "file", "old")
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(tmp_path / "file")
    assert tree(tmp_path) == {"file": "old"}


def test_a_first_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_its_old_content_until_the_block_ends(tmp_path):
    write_text(tmp_path / "file", "old")
    with atomic(tmp_path / "file") as temporary:
        temporary.write_text("new")
        assert (tmp_path / "file").read_text() == "old"
    assert tree(tmp_path) == {"file": "new"}


def test_a_written_file_can_be_read_by_others(tmp_path):
    write_text(tmp_path / "made" / "file", "new")
    assert (tmp_path / "made" / "file").stat().st_mode & 0o777 == 0o644


def test_a_folder_that_fails_leaves_the_old_content_and_no_other_folder(tmp_path):
    write_text(tmp_path / "folder" / "old", "old")
    with pytest.raises(KeyboardInterrupt):
        fill_and_fail(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
    assert tree(tmp_path) == {"folder/old": "old"}


def test_a_folder_replaces_the_old_one_whole(tmp_path):
    write_text(tmp_path / "folder" / "old", "old")
    with atomic_folder(tmp_path / "folder") as temporary:
        (temporary / "new").write_text("new")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
    assert tree(tmp_path) == {"folder/new": "new"}


def test_an_unchanged_file_has_the_digest_that_was_recorded(tmp_path):
    write_text(tmp_path / "file", "abc")
    # FIPS 180-2, appendix B.1
    require_sha256(tmp_path / "file", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


@given(position=st.integers(0, 99), bit=st.integers(0, 7))
def test_a_changed_bit_is_refused_with_the_file_s_name(tmp_path_factory, position, bit):
    path = tmp_path_factory.mktemp("digest") / "weights"
    content = bytearray(range(100))
    path.write_bytes(content)
    recorded = sha256(path)
    content[position] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(UserError, match="weights was changed after it was written"):
        require_sha256(path, recorded)


def test_a_missing_file_is_refused_with_its_name_and_the_remedy(tmp_path):
    with pytest.raises(UserError, match=r"weights is missing: run `dvc repro`"):
        require_sha256(tmp_path / "weights", "0" * 64)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_json_cannot_hold_and_keeps_the_old_file(tmp_path, value):
    write_json(tmp_path / "file.json", {"latency_ms": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "file.json", {"latency_ms": [value]})
    assert read_json(tmp_path / "file.json") == {"latency_ms": 1.5}


@given(value=JSON)
def test_json_reads_back_what_was_written(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "file.json"
    write_json(path, value)
    assert read_json(path) == value


@pytest.mark.parametrize("content", [b'{"a": 1', b"", b"\xff\xfe"], ids=["truncated", "empty", "not text"])
def test_a_damaged_json_file_is_refused_with_its_name(tmp_path, content):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(UserError, match=r"record\.json is not readable as JSON"):
        read_json(tmp_path / "record.json")


def test_a_fingerprint_does_not_depend_on_the_order_of_keys():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 2, "b": 1})


def test_a_large_file_is_read_once_and_again_when_it_was_changed(tmp_path, monkeypatch):
    reads = []
    read = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *words: reads.append(words) or read(*words))
    path = tmp_path / "weights"
    path.write_bytes(b"old")
    before = path.stat()
    assert digest_of(path) == digest_of(path) == hashlib.sha256(b"old").hexdigest() and len(reads) == 1
    assert digest_of(path, "md5") == hashlib.md5(b"old").hexdigest()
    time.sleep(0.05)  # longer than a tick of the file system's clock
    path.write_bytes(b"new")  # as long, and with the time that it had
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert digest_of(path) == hashlib.sha256(b"new").hexdigest()


KILLED = """
import os, signal, sys
from pathlib import Path
from breakeven.core.files import atomic, atomic_folder, temporary_folder

with {block} as temporary:
    print(temporary, flush=True)
    {then}
"""
BLOCKS = {
    "file": "atomic(Path('results/row.json'))",
    "folder": "atomic_folder(Path('results/row.json'))",
    "scratch": "temporary_folder()",
}


def killed(folder, block, then="os.kill(os.getpid(), signal.SIGKILL)"):
    """A process that is killed in the block, or that waits there."""
    return subprocess.Popen(
        [sys.executable, "-c", KILLED.format(block=BLOCKS[block], then=then)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def again(folder, block, monkeypatch):
    """The same block in this process, which ends well."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    if block == "file":
        write_text(folder / "results/row.json", "new")
    elif block == "folder":
        with atomic_folder(folder / "results/row.json"):
            pass
    else:
        with temporary_folder():
            pass


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, monkeypatch, block):
    (tmp_path / "results").mkdir()
    with killed(tmp_path, block) as process:
        left = tmp_path / process.stdout.readline().strip()
        assert process.wait() == -signal.SIGKILL
    assert left.exists() and leftovers(left.parent) == [left]
    again(tmp_path, block, monkeypatch)
    assert not left.exists() and not list(tmp_path.rglob(f"*{UNFINISHED_SUFFIX}"))


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_living_process_is_writing_is_left_alone(tmp_path, monkeypatch, block):
    (tmp_path / "results").mkdir()
    with killed(tmp_path, block, "input()") as process:
        writing = tmp_path / process.stdout.readline().strip()
        again(tmp_path, block, monkeypatch)
        assert writing.exists() and leftovers(writing.parent) == []
        process.communicate("\n")
    assert not list(tmp_path.rglob(f"*{UNFINISHED_SUFFIX}"))


def test_a_folder_of_scratch_files_is_told_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with temporary_folder() as folder:
        assert folder.parent == tmp_path and folder.name.startswith(SCRATCH_PREFIX)
        (folder / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_takes_the_place_of_a_file(tmp_path):
    (tmp_path / "entry").write_text("a file")
    with atomic_folder(tmp_path / "entry") as temporary:
        (temporary / "new").write_text("whole")
    assert tree(tmp_path) == {"entry/new": "whole"}


def test_a_folder_or_a_path_through_a_file_is_no_json(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("1")
    for path in (tmp_path / "folder", tmp_path / "file/inner"):
        with pytest.raises(UserError, match="is not a file: delete it"):
            read_json(path)


def test_a_copy_that_does_not_fit_says_so_by_its_number(tmp_path, monkeypatch):
    (tmp_path / "source/inner").mkdir(parents=True)
    (tmp_path / "source/inner/file").write_text("x")
    copy_folder(tmp_path / "source", tmp_path / "target")
    assert tree(tmp_path / "target") == {"inner/file": "x"}

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(OSError) as raised:
        copy_folder(tmp_path / "source", tmp_path / "other")
    assert raised.value.errno == errno.ENOSPC


@pytest.mark.parametrize("damage", [None, b"[]", b"\xb8", b"{"], ids=["folder", "list", "no text", "cut"])
def test_a_memory_that_is_damaged_is_empty_and_can_be_written(tmp_path, damage):
    memory = tmp_path / "memory.json"
    if damage is None:
        memory.mkdir()
        (memory / "inner.txt").touch()
    else:
        memory.write_bytes(damage)
    assert read_memory(memory) == {}
    write_json(memory, {"a": 1})
    assert read_memory(memory) == {"a": 1}


def test_a_file_takes_the_place_of_an_empty_folder_and_of_no_other(tmp_path):
    (tmp_path / "empty").mkdir()
    write_json(tmp_path / "empty", {"a": 1})
    assert read_json(tmp_path / "empty") == {"a": 1}
    (tmp_path / "full").mkdir()
    (tmp_path / "full/inner.txt").touch()
    with pytest.raises(UserError, match="full is a folder with files, where a file belongs: move it away"):
        write_json(tmp_path / "full", {"a": 1})
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["inner.txt"]
    assert not [*tmp_path.glob("*.tmp")]
