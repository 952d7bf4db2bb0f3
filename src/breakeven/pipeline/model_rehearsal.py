"""The halves of a check of a model, each for a process of its own: make and save it; load it elsewhere."""

import os
import random
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from breakeven.artifacts import process_settings, saved_model
from breakeven.artifacts.inference import predict_in_batches
from breakeven.artifacts.model_manifest import ModelManifest
from breakeven.artifacts.module_modes import evaluated
from breakeven.artifacts.preprocess import normalize, predictor
from breakeven.artifacts.tensors import each
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import read_json, write_json
from breakeven.pipeline.model_promises import (
    BrokenPromise,
    check_evaluation,
    require_order,
    try_training,
    unsaved_state,
)
from breakeven.pipeline.model_sizes import require_sizes

FOUND, LOGITS = "found.json", "logits.npy"
CHECKED = 16  # images at most that the promises are checked with
MODULES = (".py", ".pyc", ".so")  # suffixes of files whose code the digests follow
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")  # Python's audit events


@dataclass(frozen=True)
class Rehearsal:
    """What one half of a check found."""

    broken: str = ""  # the promise that the model breaks
    error: str = ""  # why there is no model: a whole sentence
    logits: NDArray[np.float32] | None = None  # of all inputs, (N, ...)
    unsaved: list[str] = field(default_factory=list)  # attributes that the state dict lacks
    changed: str = ""  # settings of the process that the model's code had set
    files: list[str] = field(default_factory=list)  # of the project, that the model reads when it is loaded


def write_down(half: Callable[[], Rehearsal], folder: Path) -> None:
    """Run one half of a check, and write what it found into `folder`, for another process."""
    found = half()
    if found.logits is not None:
        np.save(folder / LOGITS, found.logits)
    write_json(folder / FOUND, asdict(replace(found, logits=None)))


def read_down(folder: Path) -> Rehearsal:
    """Return what `write_down` has written into `folder`."""
    found = Rehearsal(**read_json(folder / FOUND))
    logits = folder / LOGITS
    return replace(found, logits=np.load(logits)) if logits.exists() else found


def make_and_save(
    build: Callable[[], nn.Module],
    seed: int,
    train: TrainingConfig | None,
    images: NDArray[np.generic],
    card: ModelManifest,
    folder: Path,
) -> Rehearsal:
    """Construct a model, check its promises, train it for two steps, and save it in `folder`.

    Args:
        train: how the model will be trained; None: not at all.
        images: uint8, (N, C, H, W), or tokens, (N, L).
    """
    _seed(seed)
    try:
        model = build()
        inputs = normalize(images[:CHECKED], card.mean, card.std)
        require_order(model, images.dtype.names or ())
        outputs = card.output_shape
        check_evaluation(model, inputs, outputs)
        require_sizes(model, images, card, f"families.{card.family}.varying")
        if train:
            batch = each(lambda tensor: tensor[: train.batch_size], inputs)
            try_training(model, batch, outputs, train.sides)
        logits = predict_in_batches(predictor(model, card.mean, card.std), images)
        saved_model.save(folder, evaluated(model), card)
    except BrokenPromise as error:
        return Rehearsal(broken=str(error))
    except (UserError, Unsupported) as error:
        return Rehearsal(error=str(error))
    return Rehearsal(logits=logits, unsaved=unsaved_state(model), changed=process_settings.changed())


def load_elsewhere(folder: Path, seed: int, images: NDArray[np.generic]) -> Rehearsal:
    """Load the model in `folder` as a process that measures it does, and check it.

    There is neither a network, nor what a library has downloaded before: another machine may lack both.

    Args:
        seed: another one than the model was made with, so that what a constructor draws is another, too.
        images: see `make_and_save`.
    """
    _seed(seed)
    hosts = _forbid_network()
    files = _watch_files(folder)
    _empty_download_caches(folder / "cache")
    try:
        model, card = saved_model.load(folder)
    except Exception as error:
        if hosts:
            return Rehearsal(
                broken=f"its constructor needs a network ({hosts[0]}) in every process that loads the model: "
                f"let an argument `pretrained` decide, which is set to false where the weights are on disk"
            )
        if isinstance(error, UserError | Unsupported):
            return Rehearsal(error=str(error))
        first = (str(error).splitlines() or [""])[0][:200]
        return Rehearsal(broken=f"it cannot be loaded after it was saved ({type(error).__name__}: {first})")
    try:
        check_evaluation(model, normalize(images[:CHECKED], card.mean, card.std), card.output_shape)
        logits = predict_in_batches(predictor(model, card.mean, card.std), images)
    except BrokenPromise as error:
        return Rehearsal(broken=f"after it was saved and loaded, {error}")
    return Rehearsal(
        logits=logits,
        unsaved=unsaved_state(model),
        changed=process_settings.changed(),
        files=sorted(set(files)),
    )


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (models may use the global generator)
    torch.manual_seed(seed)


def _empty_download_caches(folder: Path) -> None:
    """Let libraries look for downloaded files in an empty folder; this process ends after the check."""
    os.environ["TORCH_HOME"] = os.environ["HF_HOME"] = str(folder)
    constants: Any = sys.modules.get("huggingface_hub.constants")  # it reads the variable while imported
    if constants:
        constants.HF_HUB_CACHE = str(folder)


def _forbid_network() -> list[str]:
    """Make this process fail as if there were no network; return the list of hosts that it asks for."""
    hosts: list[str] = []

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in NETWORK:
            return
        address = arguments[1] if event == "socket.connect" else arguments[0]
        if event == "socket.connect" and isinstance(address, str | bytes):  # a socket of this machine
            return
        host = address[0] if isinstance(address, tuple) else address
        hosts.append(host.decode() if isinstance(host, bytes) else str(host))
        raise socket.gaierror(socket.EAI_AGAIN, "the network is switched off while a saved model is loaded")

    sys.addaudithook(refuse)
    return hosts


def _watch_files(saved: Path) -> list[str]:
    """Return a list that gets each of the project's files that this process opens from now on.

    It leaves out Python's modules, hidden folders, the environment, and the saved model itself.
    """
    project, passed = Path.cwd(), (saved.resolve(), Path(sys.prefix).resolve())
    files: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str):
            return
        path = Path(os.path.realpath(arguments[0]))
        if not path.is_relative_to(project) or any(path.is_relative_to(folder) for folder in passed):
            return
        name = path.relative_to(project)
        if path.suffix not in MODULES and not any(part.startswith(".") for part in name.parts):
            files.append(str(name))

    sys.addaudithook(note)
    return files
