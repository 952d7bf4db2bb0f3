"""The store: what has a key is found again whole, or not at all."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.cli import cache_table
from breakeven.core import cache, cache_cleanup, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.files import temporary_folder, write_json, write_text
from breakeven.pipeline.sweep import run_job
from breakeven.results import job_results
from breakeven.results.job_results import STUDY_FILE
from breakeven.results.sweep_results import CACHED

KEY = CacheKey("model", {"settings": {"lr": 0.1, "epochs": 2}, "data": "abc"})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # not what other tests have left there
    return tmp_path / "home"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "inner/b.txt").write_text("b")
    return folder


def test_what_was_kept_is_taken_whole(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    assert not cache.restore(KEY, target) and not target.exists()
    cache.save(KEY, "a model", made)
    assert cache.restore(KEY, target)
    assert (target / "a.txt").read_text() == "a" and (target / "inner/b.txt").read_text() == "b"
    assert not (target / cache.NOTE_FILE).exists()


def test_it_takes_the_place_of_what_was_there(made: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/old.txt").write_text("old")
    cache.save(KEY, "a model", made)
    cache.restore(KEY, tmp_path / "target")
    assert not (tmp_path / "target/old.txt").exists()


def test_a_copy_may_be_changed(made: Path, tmp_path: Path) -> None:
    cache.save(KEY, "a model", made)
    cache.restore(KEY, tmp_path / "target")
    (tmp_path / "target/a.txt").write_text("changed")
    assert cache.restore(KEY, tmp_path / "other") and (tmp_path / "other/a.txt").read_text() == "a"


@pytest.mark.parametrize("damage", [lambda path: path.write_text("x"), lambda path: path.unlink()])
def test_what_was_damaged_is_not_taken(made: Path, tmp_path: Path, damage, capsys) -> None:  # type: ignore[no-untyped-def]
    cache.save(KEY, "a model", made)
    damage(cache.folder(KEY) / cache.FILES_FOLDER / "a.txt")
    assert not cache.restore(KEY, tmp_path / "target")
    assert "was changed after it was written" in capsys.readouterr().err
    assert not cache.folder(KEY).exists()


def test_another_value_is_another_key() -> None:
    other = CacheKey("model", {"settings": {"lr": 0.2, "epochs": 2}, "data": "abc"})
    same = CacheKey("model", {"data": "abc", "settings": {"epochs": 2, "lr": 0.1}})
    assert other.digest != KEY.digest == same.digest
    assert CacheKey("data", KEY.parts).digest != KEY.digest


def test_a_miss_is_explained_by_the_nearest(made: Path) -> None:
    other = CacheKey("model", {"settings": {"lr": 0.2, "epochs": 2}, "data": "abc"})
    assert cache.differences(other) is None
    cache.save(CacheKey("model", {"settings": {"lr": 9, "epochs": 9}, "data": "z"}), "far", made)
    cache.save(KEY, "near", made)
    found = cache.differences(other)
    assert found and found[0].title == "near"
    assert found[1] == ["settings.lr: 0.1 there, 0.2 here"]


def test_what_was_used_long_ago_is_pruned(made: Path, tmp_path: Path) -> None:
    old = CacheKey("model", {"settings": 1})
    for key in (KEY, old):
        cache.save(key, "a model", made)
        os.utime(cache.folder(key) / cache.NOTE_FILE, (0, time.time() - 10 * 86400))
    cache.restore(KEY, tmp_path / "target")
    assert [entry.folder.name for entry in cache_cleanup.prune(5)] == [old.digest]
    assert [entry.key.digest for entry in cache.entries()] == [KEY.digest]


def test_what_is_in_use_is_not_pruned(made: Path) -> None:
    cache.save(KEY, "a model", made)
    begun = paths.private() / "training" / KEY.digest
    begun.mkdir(parents=True)
    with cache.exclusive(KEY, "a model"):
        assert cache_cleanup.prune(0) == [] and cache_cleanup.unfinished(0) == []
    assert cache_cleanup.unfinished(0) == [begun]
    assert [entry.key.digest for entry in cache_cleanup.prune(0)] == [KEY.digest]


def test_a_job_that_is_found_or_shown_is_used(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = CacheKey("job", {"settings": 1})
    write_json(made / STUDY_FILE, {"families": {"net": {}}, "datasets": {"digits": {}}})
    cache.save(KEY, "the model that it was made from", made)
    write_json(made / cache.USED_ENTRIES_FILE, [[KEY.kind, KEY.digest], ["artifact", "pruned"]])
    cache.save(key, "a job", made)
    monkeypatch.setattr(run_job, "study_of", lambda *arguments: None)
    monkeypatch.setattr(run_job, "key_of", lambda study: key)
    before = cache.version("job", key.digest)
    for use in (
        lambda: run_job.run({}, "cnn", []).status == CACHED,
        lambda: job_results.read_job(key.digest),
    ):
        os.utime(cache.folder(key) / cache.NOTE_FILE, (0, time.time() - 10 * 86400))
        assert use() and cache_cleanup.prune(5) == []
    os.utime(cache.folder(KEY) / cache.NOTE_FILE, (0, time.time() - 10 * 86400))
    assert run_job.run({}, "cnn", []).status == CACHED and cache_cleanup.prune(5) == []
    assert cache.version("job", key.digest) == before


def test_what_did_not_end_is_listed_and_pruned(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("jobs/new", "jobs/old", "store/job/.half.tmp"):
        file = paths.private() / name / "weights"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x" * 1_500_000)
        if "new" not in name:
            for each in (file, file.parent):
                os.utime(each, (0, 0))
    cache_table.show()
    assert "besides, 3 folders of what has not ended" in (printed := capsys.readouterr().out)
    assert "4.5 MB" in printed
    cache_table.prune(5)
    assert "2 folders of what has not ended" in (printed := capsys.readouterr().out) and "3.0 MB" in printed
    assert [path.name for path in cache_cleanup.unfinished(0)] == ["new"]


def test_two_that_need_the_same_make_it_once(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = []

    def need() -> None:
        with cache.exclusive(KEY, "a model"):
            if not cache.find(KEY):
                time.sleep(0.3)
                times.append(1)
                cache.save(KEY, "a model", made)

    threads = [threading.Thread(target=need) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert times == [1]
    assert "another process is making it" in capsys.readouterr().err


def test_who_measures_is_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_lock, "LOCK_FILE", tmp_path / "lock")
    inside: list[str] = []
    seen: list[list[str]] = []

    def stay(turn, name: str) -> None:  # type: ignore[no-untyped-def]
        with turn():
            inside.append(name)
            time.sleep(0.2)
            seen.append(list(inside))
            inside.remove(name)

    kinds = [
        (machine_lock.shared, "make"),
        (machine_lock.shared, "make"),
        (machine_lock.exclusive, "measure"),
    ]
    threads = [
        threading.Thread(target=stay, args=kind) for kind in [*kinds, (machine_lock.exclusive, "measure")]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(here == ["measure"] for here in seen if "measure" in here)
    assert ["make", "make"] in seen


def entry_is_a_file() -> Path:
    return cache.folder(KEY)


def kind_is_a_file() -> Path:
    return cache.folder(KEY).parent


def locks_are_a_file() -> Path:
    return paths.private() / "locks"


@pytest.mark.parametrize("place", [entry_is_a_file, kind_is_a_file, locks_are_a_file])
def test_a_file_in_the_place_of_a_folder_is_no_entry(
    made: Path, tmp_path: Path, place: Callable[[], Path]
) -> None:
    place().parent.mkdir(parents=True)
    place().write_text("garbage")
    with cache.exclusive(KEY, "a model"):
        assert not cache.restore(KEY, tmp_path / "target")
        assert cache.entries() == []
        cache.save(KEY, "a model", made)
    assert cache.restore(KEY, tmp_path / "target")


@pytest.mark.parametrize("name", [cache.NOTE_FILE, cache.FILES_FOLDER, "files/a.txt"])
def test_a_folder_in_the_place_of_a_file_is_no_entry(made: Path, tmp_path: Path, name: str) -> None:
    cache.save(KEY, "a model", made)
    place = cache.folder(KEY) / name
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    place.mkdir() if name != cache.FILES_FOLDER else place.write_text("garbage")
    assert not cache.restore(KEY, tmp_path / "target")
    cache.save(KEY, "a model", made)
    assert cache.restore(KEY, tmp_path / "target")


@pytest.mark.parametrize("note", ["[]", "{}", '{"kind": 1}', "", "garbage", '{"files": 3, "kind": "model"}'])
def test_an_entry_without_a_readable_note_is_made_again_or_pruned(made: Path, note: str) -> None:
    cache.save(KEY, "a model", made)
    (cache.folder(KEY) / cache.NOTE_FILE).write_text(note)
    assert cache.find(KEY) is None and cache.folder(KEY) in cache_cleanup.unfinished(0)
    cache_cleanup.remove(cache_cleanup.unfinished(0))
    assert not cache.folder(KEY).exists()


def test_what_killed_processes_left_anywhere_is_pruned(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = [
        home / "artifacts/export/.cnn.abc.tmp",
        home / "models/cnn/.none.abc.tmp",
        home / "results/benchmark/.cnn-cpu1.json.abc.tmp",
        home / "data/prepared/.digits.abc.tmp",
        home / ".breakeven/store/model/.0123.abc.tmp",
        tmp_path / "breakeven-abc.tmp",
    ]
    for path in left:
        path.mkdir(parents=True)
    write_text(home / ".params.yaml.abc.tmp", "half")
    with temporary_folder(home / "models/cnn", ".prune50.") as living:
        cache_table.prune(30)
        assert "7 folders" in capsys.readouterr().out
        assert living.exists() and not any(path.exists() for path in left)
    assert not (home / ".params.yaml.abc.tmp").exists()
