"""A trial of a new family: some of its samples go through model, loss and score, before anything is made."""

from pathlib import Path

import numpy as np
import torch
import yaml

from breakeven.artifacts import saved_model
from breakeven.artifacts.checkpoint import load_checkpoint, load_pretrained
from breakeven.artifacts.dataset import DatasetManifest, Images
from breakeven.artifacts.module_modes import evaluated, scored_outputs
from breakeven.artifacts.output_of import OutputOf, named_tensors, scored_number, whole
from breakeven.artifacts.preprocess import normalize
from breakeven.artifacts.records import leading
from breakeven.artifacts.tensors import call, count, each, to_array
from breakeven.config import compose, schema
from breakeven.config.study import Study
from breakeven.core import paths, plugin
from breakeven.core.errors import UserError
from breakeven.pipeline.model_promises import BrokenPromise, check_evaluation, require_order, try_training
from breakeven.pipeline.prepare_dataset import describe
from breakeven.pipeline.stages.check_params import require_models

SHOWN = 4  # targets in a line
LEAST = 20  # samples; with so few, no change of a score can be seen
SAMPLES = 16  # enough for what a model promises of a batch


def study_of(name: str, conf: Path = paths.CONF) -> Study:
    """Compose a study, and return it.

    Raises:
        UserError: its files are wrong.
    """
    study = schema.validate(yaml.safe_load(compose.compose([f"study={name}"], conf)))
    require_models(study)
    return study


def read(study: Study, family: str) -> tuple[DatasetManifest, Images]:
    """Read the family's dataset; return its facts, and a few training samples.

    Raises:
        UserError: it cannot be read.
    """
    name = study.family(family).data
    dataset = plugin.load("datasets", study.datasets[name], f"datasets.{name}")
    found = dataset.sample(paths.raw_roots())
    if len(found.train.labels) < LEAST:
        raise UserError(
            f"{dataset.title}: gives {len(found.train.labels)} samples: too few to train, validate and test "
            f"with: bring {LEAST} at least."
        )
    chosen = np.linspace(0, len(found.train.labels) - 1, SAMPLES).astype(int)
    facts = describe(name, dataset, found)
    return facts, Images(found.train.images[chosen], found.train.labels[chosen])


def try_family(study: Study, family: str, facts: DatasetManifest, samples: Images) -> list[str]:
    """Run a few samples through the family's model, its training and its score; return what was found.

    Raises:
        UserError: something does not go together.
    """
    own, task, place = study.family(family), study.task(family), f"families.{family}"
    if reason := task.objection(samples.labels):
        hint = " Give another one with --task." if task.name == "classification" else ""
        raise UserError(f"{place}.task.name={task.name}: does not go with the data: {reason}.{hint}")
    model = saved_model.build(own.model, facts.shape, f"{place}.model")
    found = []
    if own.checkpoint:
        load_checkpoint(paths.checkpoint(own.checkpoint), whole(model))
        found.append(f"weights: all of {own.checkpoint}")
    if own.pretrained:
        found.append(f"weights: {load_pretrained(paths.checkpoint(own.pretrained), whole(model))}")
    inputs = normalize(samples.images, facts.mean, facts.std)
    expected = task.output_shape(facts.shape.sample, len(facts.classes))
    try:
        check_evaluation(model, inputs, expected)
        require_order(model, samples.images.dtype.names or ())
        given = call(model, inputs)
        task.scores(leading(to_array(given), scored_number(model)), samples.labels)
        if own.train and not own.checkpoint:
            task.loss(scored_outputs(evaluated(model), given), torch.from_numpy(samples.labels))
        if (train := own.train) and not own.checkpoint:
            batch = each(lambda tensor: tensor[: train.batch_size], inputs)
            try_training(model, batch, expected, train.sides)
    except BrokenPromise as error:
        raise UserError(f"{place}.model: {error}.") from None
    parameters = sum(parameter.numel() for parameter in model.parameters())
    shape = " x ".join(map(str, expected))
    numbers = "number" if expected == (1,) else "numbers"
    return [
        *found,
        f"data: {_described(facts, bool(np.issubdtype(samples.labels.dtype, np.integer)))}",
        f"model: {parameters:,} parameters; {count(inputs)} samples gave {shape} {numbers} each",
        f"score: {task.metric.replace('_', ' ')}, {task.better} is better",
    ]


def outputs_of(study: Study, family: str, facts: DatasetManifest, samples: Images) -> list[str]:
    """Return the names of the tensors that a model gives; empty if it gives one tensor."""
    model = evaluated(saved_model.build(study.family(family).model, facts.shape, f"families.{family}.model"))
    if isinstance(model, OutputOf):
        return []
    try:
        given = call(model, normalize(samples.images[:2], facts.mean, facts.std))
    except Exception:  # the trial says what is wrong
        return []
    names = [name for name, _ in named_tensors(given)]
    return names if names != ["0"] or isinstance(given, tuple | list) else []


def _described(facts: DatasetManifest, has_classes: bool) -> str:
    fields = facts.inputs.get("fields", {})
    inputs = ", ".join(
        f"{name} {kind} {' x '.join(map(str, size))}".rstrip() for name, (kind, *size) in fields.items()
    )
    inputs = inputs or ", ".join(f"{key} {value}" for key, value in facts.inputs.items())
    more = ", ..." if len(facts.classes) > SHOWN else ""
    targets = f"{len(facts.classes)} classes ({', '.join(facts.classes[:SHOWN])}{more})"
    if not has_classes:
        targets = (
            "one number to predict" if len(facts.classes) == 1 else f"{len(facts.classes)} numbers to predict"
        )
    return f"{inputs}; {targets}"
