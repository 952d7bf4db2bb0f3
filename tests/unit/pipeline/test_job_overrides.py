"""An override of one value is applied to the jobs of a sweep, not to the default options."""

import sys
from pathlib import Path

import pytest
from project import ROOT

from breakeven.core import paths
from breakeven.pipeline.sweep import main
from breakeven.pipeline.sweep.job_overrides import as_typed, for_each_job, jobs_of_command


@pytest.mark.parametrize(
    "override",
    [
        *("family.model.eps=0.01", "+family.model.eps=0.01", "++data.length=64"),
        *("hardware.cpu2.threads=1", "runtimes.onnxruntime.precision=fp32", "family.train.sides=[0.5,1.0]"),
        "+family.model._inputs_={a: classes}",
    ],
)
def test_a_value_of_an_option_becomes_a_sweep_over_it_alone(override: str) -> None:
    (changed,) = for_each_job([override])
    key = override.partition("=")[0]
    assert changed.startswith(f"{key}=choice(")
    assert as_typed(changed).replace(" ", "") == override.replace(" ", "")


@pytest.mark.parametrize(
    "override",
    [
        *("family=a,b", "family.model.width=1,2", "family.model.width=range(1,3)", "seed=1", "~family.train"),
        *("recommend.max_size_mb=1", "runtime=[eager]", "hydra/launcher=basic", "family.checkpoint="),
    ],
)
def test_everything_else_stays_as_it_is(override: str) -> None:
    assert for_each_job([override]) == [override] and as_typed(override) == override


def test_a_key_that_only_the_chosen_families_have_is_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default family has no such key."""
    monkeypatch.chdir(ROOT)
    words = ["family=scale_vit_b_16,scale", "family.model._target_=torchvision.models.resnet18"]
    words += ["compression=half,control", "compressions.half.macs=0.25"]
    jobs = jobs_of_command(words)
    assert [job[0] for job in jobs] == ["family=scale_vit_b_16"] * 2 + ["family=scale"] * 2
    assert all("compressions.half.macs=0.25" in job for job in jobs)


def test_a_bare_command_starts_no_job_but_says_what_to_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "conf").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["breakeven-sweep"])
    monkeypatch.setattr("sys.path", [*sys.path])
    for name in (paths.HOME_VARIABLE, "HYDRA_FULL_ERROR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(main, "hide_in_output", lambda: None)
    monkeypatch.setattr(main.signal, "signal", lambda number, handler: None)
    with pytest.raises(SystemExit, match="name what to vary, as in `breakeven-sweep family=cnn,resnet18`"):
        main.main()
