"""What is found of a machine, from what different systems tell."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.core import system_info
from breakeven.plugins.quantization import base

X86 = "processor : 0\nmodel name : One\nflags : fpu avx2 avx512_vnni\n\nprocessor : 1\nflags : fpu\n"
ARM = "processor : 0\nFeatures : fp asimd asimddp\n"


@pytest.fixture
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that tells this of its processor; nothing where that is empty."""
    path = tmp_path / "cpuinfo"
    if request.param:
        path.write_text(request.param)
    monkeypatch.setattr(system_info, "CPUINFO", path)
    system_info._cpuinfo.cache_clear()
    yield
    system_info._cpuinfo.cache_clear()


@pytest.mark.parametrize(
    ("told", "found"),
    [(X86, ["avx2", "avx512_vnni"]), (ARM, ["asimd", "asimddp"]), ("", [])],
    indirect=["told"],
)
def test_features_are_those_of_the_first_core(told: None, found: list[str]) -> None:
    assert system_info.features() == found
    assert system_info._processor()


@pytest.mark.parametrize(
    ("told", "architecture", "expected"),
    [
        (X86, "x86_64", False),
        (X86.replace("avx512_vnni", ""), "x86_64", True),
        ("", "AMD64", True),
        (ARM, "aarch64", False),
    ],
    indirect=["told"],
)
def test_a_bit_is_left_unused_on_x86_without_vnni(
    told: None, architecture: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: architecture)
    assert base.use_reduced_range(None) is expected
    assert base.use_reduced_range(True) and not base.use_reduced_range(False)
