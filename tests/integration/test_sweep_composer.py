"""Jobs that a sweep composes once are what Hydra composes of each."""

from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf, open_dict
from project import ROOT

from breakeven.config import compose
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.pipeline.sweep.composer import ComposedJobs, compose_jobs
from breakeven.pipeline.sweep.job_overrides import CONFIG_NAME
from breakeven.pipeline.sweep.job_task import settings_file

JOBS = [
    ["family=cnn", "family.model.width=7", "measure.rounds=9"],
    ["family=cnn"],  # which shows no trace of the first
    ["study=scaling", "family=scale_bert_base", "hardware=[cpu2]"],
    ["study=combos", "family=resnet18", "compression=prune50", "runtime=[openvino,onnxruntime]"],
]


def test_a_job_is_composed_as_by_hydra(tmp_path: Path) -> None:
    with compose.initialized(ROOT / paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration(CONFIG_NAME, [], RunMode.MULTIRUN)
        assert compose_jobs(loader, master, JOBS, tmp_path) == {}
        for number, job in enumerate(JOBS):
            settings, choices = compose.compose_with_choices(job, ROOT / paths.CONF, CONFIG_NAME)
            assert read_json(settings_file(tmp_path, number)) == {
                "choice": choices["family"],
                "settings": settings,
            }
            plain = loader.load_sweep_config(master, job)
            with open_dict(plain):
                del plain["hydra"]
            assert settings == OmegaConf.to_container(plain, resolve=True)


def test_a_launcher_gets_the_overrides_of_a_job_and_composes_none() -> None:
    with compose.initialized(ROOT / paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration(CONFIG_NAME, [], RunMode.MULTIRUN)
        for job in (*JOBS, ["family=cnnn"]):
            assert ComposedJobs(loader).load_sweep_config(master, job).hydra.overrides.task == job
        assert master.hydra.overrides.task == []


def test_a_job_that_cannot_be_composed_is_told_and_all_of_them_are_an_error(tmp_path: Path) -> None:
    good, bad = ["family=cnn"], ["family=cnnn"]
    with compose.initialized(ROOT / paths.CONF):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration(CONFIG_NAME, [], RunMode.MULTIRUN)
        refused = compose_jobs(loader, master, [good, bad], tmp_path)
        assert [*refused] == [1] and "cnnn" in refused[1]
        with pytest.raises(UserError, match="cnnn"):
            compose_jobs(loader, master, [bad], tmp_path)
