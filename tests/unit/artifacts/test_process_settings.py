"""What a model's code sets in its process is set back, and told."""

import gc
import os
from functools import partial

import pytest
import torch

from breakeven.artifacts import process_settings
from breakeven.artifacts.process_settings import SETTINGS, kept

CHANGES = {
    "torch.set_num_threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "torch.manual_seed": lambda: torch.manual_seed(12_345),
    "torch.set_default_dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch.set_default_device": lambda: torch.set_default_device("meta"),
    "torch.set_grad_enabled": lambda: torch.set_grad_enabled(False),
    "torch.set_flush_denormal": lambda: torch.set_flush_denormal(True),
    "torch.set_float32_matmul_precision": lambda: torch.set_float32_matmul_precision("medium"),
    "torch.use_deterministic_algorithms": lambda: torch.use_deterministic_algorithms(True),
    "torch.autograd.set_detect_anomaly": lambda: torch.set_anomaly_enabled(True),
    "torch.backends.mkldnn.enabled": lambda: setattr(torch.backends.mkldnn, "enabled", False),
    "torch.backends.cudnn.enabled": lambda: setattr(torch.backends.cudnn, "enabled", False),
    "torch.backends.cudnn.benchmark": lambda: setattr(torch.backends.cudnn, "benchmark", True),
    "torch.backends.cudnn.deterministic": lambda: setattr(torch.backends.cudnn, "deterministic", True),
    "torch.backends.mha.set_fastpath_enabled": lambda: torch.backends.mha.set_fastpath_enabled(False),
    **{
        f"torch.backends.{place}fp32_precision": partial(setattr, owner, "fp32_precision", value)
        for place, owner, value in (
            ("", torch.backends, "tf32"),
            ("cuda.matmul.", torch.backends.cuda.matmul, "tf32"),
            ("cudnn.conv.", torch.backends.cudnn.conv, "ieee"),
            ("cudnn.rnn.", torch.backends.cudnn.rnn, "ieee"),
            ("mkldnn.matmul.", torch.backends.mkldnn.matmul, "bf16"),
            ("mkldnn.conv.", torch.backends.mkldnn.conv, "bf16"),
            ("mkldnn.rnn.", torch.backends.mkldnn.rnn, "bf16"),
        )
    },
    "gc": gc.disable,
    "os.environ": lambda: os.environ.update(KMP_BLOCKTIME="0"),
    "os.sched_setaffinity": lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
}


def test_every_setting_has_a_case() -> None:
    assert CHANGES.keys() == SETTINGS.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_a_setting_is_set_back_and_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "os.sched_setaffinity" and len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one core only")
    monkeypatch.setattr(process_settings, "_changed", {})
    before = process_settings.read()
    try:
        with kept():
            CHANGES[name]()
            assert SETTINGS[name].read() != before[name]
        assert process_settings.read() == before
        assert process_settings.changed().startswith(f"{name} (")
    finally:
        SETTINGS[name].write(before[name])


def test_what_stays_as_it_was_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_settings, "_changed", {})
    with kept():
        torch.rand(1)
    assert process_settings.changed() == ""
