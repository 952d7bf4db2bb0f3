"""Jobs that are composed of files that were read once are what Hydra composes of each file anew."""

from collections.abc import Sequence

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf
from project import ROOT

from breakeven.config import compose
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.pipeline.sweep.composer import NAME, REFUSED, Composer

JOBS = [
    ["family=cnn", "family.model.width=7", "measure.rounds=9"],
    ["family=cnn"],  # which shows no trace of the first
    ["study=scaling", "family=scale_bert_base", "hardware=[cpu2]"],
    ["study=combos", "family=resnet18", "compression=prune50", "runtime=[openvino,onnxruntime]"],
    ["family=cnn", "family.model.width=7", "measure.rounds=9"],
]


def composed(loader: ConfigLoaderImpl, job: Sequence[str]) -> object:
    found = loader.load_configuration(NAME, list(job), RunMode.RUN)
    return OmegaConf.to_container(found, resolve=False)


def test_a_job_is_composed_as_by_hydra() -> None:
    with compose.initialized(ROOT / paths.CONF):
        plain = GlobalHydra.instance().config_loader()
        assert isinstance(plain, ConfigLoaderImpl)
        composer = Composer(plain.get_search_path(), JOBS, keeps=False)
        for job in JOBS:
            assert composed(composer, job) == composed(plain, job)


def test_a_job_that_cannot_be_composed_is_told_and_all_of_them_are_an_error() -> None:
    good, bad = ["family=cnn"], ["family=cnnn"]
    with compose.initialized(ROOT / paths.CONF):
        plain = GlobalHydra.instance().config_loader()
        master = plain.load_configuration(NAME, [], RunMode.MULTIRUN)
        composer = Composer(plain.get_search_path(), [good, bad], keeps=False)
        assert "cnnn" in composer.load_sweep_config(master, bad)[REFUSED]
        assert REFUSED not in composer.load_sweep_config(master, good)
        with pytest.raises(UserError, match="cnnn"):
            Composer(plain.get_search_path(), [bad], keeps=False).load_sweep_config(master, bad)
