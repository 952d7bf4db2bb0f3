"""The schema of a study's configuration, which is checked before any work starts."""

from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from breakeven.artifacts.artifact import BASELINE, runtime_name
from breakeven.artifacts.model_manifest import Input
from breakeven.artifacts.varying import VaryingDimension, dimensions
from breakeven.config.credentials import require_no_credentials
from breakeven.config.stage_names import require_distinct_stages
from breakeven.config.training import TrainingConfig
from breakeven.config.yaml_file import read_mapping
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.core.plugin import MANDATORY_MESSAGE, StrictModel, check, did_you_mean, load
from breakeven.engine.settings import Budget, Scenario

Settings = dict[str, Any]
Positive = Annotated[int, Field(gt=0)]
Callers = Annotated[int, Field(gt=1)]


class Varying(StrictModel):
    """A dimension of the inputs that differs from call to call."""

    least: Positive = Field(description="the smallest size")
    most: Positive = Field(description="the largest size")
    step: Positive = Field(1, description="every size is a multiple of it")
    inputs: list[str] = Field([], description="of several inputs, those that have this dimension")
    axis: int = Field(0, ge=0, description="of a sample of these inputs")


class Family(StrictModel):
    """A model on a dataset with its training recipe."""

    data: str = Field(description="a key of `datasets`")
    model: Settings = Field(description="`_target_` and the constructor's arguments")
    train: TrainingConfig | None = Field(description="null: the model is measured with random weights")
    checkpoint: str | None = Field(None, description="a user's own weights, which take the place of training")
    pretrained: str | None = Field(
        None, description="weights that the training begins with; what depends on the classes begins anew"
    )
    varying: dict[str, Varying] = Field(
        {},
        description="dimensions whose size differs from call to call: `height` and `width` of images, "
        "`length` of texts, or any name for several inputs",
    )
    task: Settings = Field(
        {"name": "classification"}, description="an option of tasks: what the outputs are, and their score"
    )


class Export(StrictModel):
    """The choice of artifacts, their input, and the limits that their outputs have to keep."""

    preprocessing: Literal["outside", "inside"] = Field(
        description="inside: the artifact takes uint8 images, and scaling and normalization are part of it"
    )
    max_relative_error: float = Field(
        gt=0, description="of a floating-point artifact, over the largest logit"
    )
    min_agreement: float = Field(ge=0, le=1, description="of a quantized artifact: share of the same classes")
    builds: Positive = Field(
        1,  # the value in old studies, which had no such key and are still compared with
        description="of each artifact, to tell how long one takes; fewer where it is long",
    )
    calibration_images: Positive = Field(description="training images that static quantization sees")
    only: dict[str, list[str]] = Field(
        description="recipe -> patterns of `precision/runtime`, the variants made of it; by default all"
    )

    def wants(self, variant: str) -> bool:
        """Return whether the study makes `variant`."""
        recipe, _, rest = variant.partition("/")
        return any(fnmatchcase(rest, pattern) for pattern in self.only.get(recipe, ["*"]))


class Server(StrictModel):
    """Several callers that use one model at the same time."""

    threads: list[Callers] = Field(description="that share a session: so many, one scenario each")
    processes: list[Callers] = Field(description="with a session each")


class Measure(StrictModel):
    """The amount of measurement, and its scenarios."""

    half_width: float = Field(gt=0, lt=1, description="of every interval: narrower than that is enough")
    seconds: float = Field(ge=0, description="time budget of a scenario")
    seconds_per_variant: float = Field(ge=0, description="and for each variant besides")
    min_replicates: int = Field(ge=2, description="sets of fresh processes, whatever the time budget")
    max_replicates: int = Field(ge=2, description="sets of fresh processes, however much time is left")
    rounds: int = Field(ge=3, description="blocks of each variant in a replicate, at least")
    max_rounds: int = Field(ge=3, description="blocks of each variant in a replicate, at most")
    block_ms: float = Field(gt=0, description="length of a block")
    settle_ms: float = Field(ge=0, description="of calls before a block that are not counted, at most")
    memory_mb: float = Field(ge=0, description="of all workers alive at once; 0: half of what is free")
    timeout_s: float = Field(gt=0, description="a worker that does not answer for so long has failed")
    confidence: float = Field(gt=0.5, lt=1, description="of all intervals")
    margin: float = Field(gt=0, lt=1, description="speedups within 1 +- margin count as the same")
    racing: bool = Field(
        description="stop measuring a variant once another one is surely faster, as accurate and as small"
    )
    batch_sizes: list[Positive] = Field(min_length=1, description="inputs a call, one scenario each")
    server: Server = Field(description="several callers at once")
    latency_limit_ms: float | None = Field(
        gt=0,
        description="on the upper bound of p99, for the best batch and number of callers; the run then takes "
        "some hundreds of blocks of each variant, if the time allows",
    )

    def scenarios(self) -> list[Scenario]:
        """Return all scenarios to measure."""
        return [
            *(Scenario(batch_size=size) for size in self.batch_sizes),
            *(Scenario(callers=count) for count in self.server.threads),
            *(Scenario(callers=count, processes=True) for count in self.server.processes),
        ]

    def budget(self, seed: int) -> Budget:
        """Return the settings in the form that the engine takes."""
        own = self.model_dump(include={field.name for field in fields(Budget)})
        if self.latency_limit_ms:
            from breakeven.engine.tails import blocks_for_p99  # scipy takes a second to import

            own["min_blocks"] = blocks_for_p99(self.confidence)
        return Budget(seed=seed, **own)


class Steps(StrictModel):
    """A recipe of several compressions."""

    steps: list[Settings] = Field(min_length=1, description="compressions, in the order they are applied in")


class Recommend(StrictModel):
    """The limits that a variant has to keep to be recommended."""

    max_accuracy_drop: float | None = Field(
        ge=0, description="percentage points below the baseline, of scores in percent"
    )
    max_score_loss: float | None = Field(
        None, ge=0, description="by how much a score that is no percentage may be worse, in its own unit"
    )
    max_latency_ms: float | None = Field(gt=0, description="p50")
    max_size_mb: float | None = Field(gt=0, description="of the artifact")


class Study(StrictModel):
    """All settings of a study. Each option checks its own section."""

    study: str = Field(description="name of the study, a file in `conf/study`")
    seed: int = Field(ge=0, lt=2**32, description="of training, and of the order of measurements")
    datasets: dict[str, Settings] = Field(description="name -> an option of datasets")
    families: dict[str, Family] = Field(min_length=1, description="name -> a model on a dataset")
    compressions: dict[str, Settings] = Field(description="recipe -> an option of compressions, or `steps`")
    runtimes: dict[str, Settings] = Field(min_length=1, description="name -> an option of runtimes")
    quantizations: dict[str, Settings] = Field(description="name -> an option of quantizations")
    hardware: dict[str, Settings] = Field(min_length=1, description="name -> an option of hardware")
    export: Export = Field(description="how artifacts are made and checked")
    measure: Measure = Field(description="how much is measured")
    recommend: Recommend = Field(description="what a variant may cost to be recommended")

    def option(self, section: str, key: str) -> Any:
        """Return the checked option at `section.key`, for example the runtime at `runtimes.eager`.

        Raises:
            UserError: there is no such option, or one of its settings is wrong.
        """
        group, dotted_key = OPTION_GROUPS[section], f"{section}.{key}"
        settings = getattr(self, section).get(key)
        if settings is None:
            raise UserError(f"{dotted_key}: {did_you_mean(key, getattr(self, section))}")
        return load(group, settings, dotted_key)

    def task(self, family: str) -> Any:
        """Return the task of a family.

        Raises:
            UserError: there is no such family or task, or one of its settings is wrong.
        """
        return load("tasks", self.family(family).task, f"families.{family}.task")

    def varying(self, family: str, shape: Input) -> tuple[VaryingDimension, ...]:
        """Return the dimensions of a family's inputs, of `shape`, that differ from call to call.

        Raises:
            UserError: there is no such family, or its inputs have no such dimension.
        """
        settings = {name: one.model_dump() for name, one in self.family(family).varying.items()}
        return dimensions(settings, shape, f"families.{family}.varying")

    def left_out(self) -> dict[str, str]:
        """Return the toolchains whose runtime is not in this study: key -> a phrase that says so."""
        runtimes = {key: self.option("quantizations", key).runtime for key in self.quantizations}
        return {
            key: f"left out: {key} (its runtime {runtime} is not in this study)"
            for key, runtime in runtimes.items()
            if runtime not in self.runtimes
        }

    def recipes(self) -> dict[str, list[Any]]:
        """Return the compressions of each recipe, in the order in which they are applied."""
        return {key: self.recipe(key) for key in self.compressions}

    def recipe(self, key: str) -> list[Any]:
        """Return the compressions of a recipe: one compression, or several under the key `steps`.

        Raises:
            UserError: there is no such recipe, or one of its settings is wrong.
        """
        if key not in self.compressions:
            raise UserError(f"{key}: {did_you_mean(key, self.compressions)}")
        settings, dotted_key = self.compressions[key], f"compressions.{key}"
        if set(settings) == {"steps"}:
            steps = check(Steps, settings, dotted_key).steps
            dotted_keys = [f"{dotted_key}.steps.{number}" for number in range(len(steps))]
        else:
            steps, dotted_keys = [settings], [dotted_key]
        return [load("compression", *step) for step in zip(steps, dotted_keys, strict=True)]

    def measured_with(self, hardware: str) -> Settings:
        """Return the settings to note in the record of a benchmark."""
        return {**self.measure.model_dump(), "seed": self.seed, "hardware": self.hardware[hardware]}

    def family(self, key: str) -> Family:
        """Return the family with this name.

        Raises:
            UserError: there is no such family.
        """
        if key not in self.families:
            raise UserError(f"families.{key}: {did_you_mean(key, self.families)}")
        return self.families[key]


# Section of the configuration -> the package of its options
OPTION_GROUPS = {
    "datasets": "datasets",
    "runtimes": "runtimes",
    "quantizations": "quantization",
    "hardware": "hardware",
}


OVERRIDES_REMEDY = (
    f"`git checkout {paths.OVERRIDES}` brings the committed one back; otherwise delete it, and run "
    "`breakeven compose` with the overrides that you had given"
)


def overrides(folder: Path = Path()) -> list[str]:
    """Return the overrides that `params.yaml` of the project in a folder was composed with.

    Raises:
        UserError: the file that holds them is damaged.
    """
    if not (folder / paths.OVERRIDES).exists():
        return []
    overrides = read_json(folder / paths.OVERRIDES, OVERRIDES_REMEDY)
    if not isinstance(overrides, list) or not all(isinstance(each, str) for each in overrides):
        raise UserError(f"{paths.OVERRIDES} is no list of overrides: {OVERRIDES_REMEDY}.")
    return overrides


def validate(settings: Settings) -> Study:
    """Return the checked configuration.

    Raises:
        UserError: one sentence for each fault.
    """
    if not isinstance(settings, dict):
        raise UserError(f"The settings should be a mapping, not a {type(settings).__name__}.")
    require_no_credentials(settings)
    if unset := list(_unset(settings)):
        raise UserError("\n".join(MANDATORY_MESSAGE.format(key=key) for key in unset))
    if not (families := settings.get("families")):
        study = settings.get("study")
        raise UserError(
            f"families={families}: study={study} names none. A sweep is run by "
            f"`breakeven-sweep study={study}`; what `dvc repro` runs lists its families."
        )
    config = check(Study, settings)
    for section in OPTION_GROUPS:
        for key in getattr(config, section):
            config.option(section, key)
    config.recipes()
    for key, family in config.families.items():
        _require_trainable(key, family, config.task(key), config)
        _require_sizes(key, family)
    if config.measure.min_replicates > config.measure.max_replicates:
        raise UserError(
            f"measure.min_replicates={config.measure.min_replicates}: should be at most "
            f"max_replicates={config.measure.max_replicates}."
        )
    sections = ("families", "compressions", *OPTION_GROUPS)
    require_distinct_stages({section: getattr(config, section).keys() for section in sections})
    _require_distinct(config)
    _require_existing(config)
    _require_baseline(config)
    for key, family in config.families.items():
        if family.data not in config.datasets:
            raise UserError(
                f"families.{key}.data={family.data}: {did_you_mean(family.data, config.datasets)}"
            )
        if family.train is None:
            _require_measured_only(key, family, config)
        elif family.train.patience >= family.train.epochs:
            raise UserError(
                f"families.{key}.train.patience={family.train.patience}: should be less than "
                f"epochs={family.train.epochs}, or 0 for no early stopping."
            )
    return config


def _require_baseline(config: Study) -> None:
    """Raise a UserError unless the runtime `eager` is PyTorch's eager mode in fp32."""
    if "eager" not in config.runtimes or config.option("runtimes", "eager").precision != "fp32":
        raise UserError(
            f"runtimes={sorted(config.runtimes)}: 'eager' must be among them, in fp32, as the baseline."
        )
    if (name := config.runtimes["eager"]["name"]) != "eager":
        raise UserError(
            f"runtimes.eager.name={name}: the baseline's name must be 'eager': give {name} a key of its own."
        )


def _require_measured_only(key: str, family: Family, config: Study) -> None:
    """Raise a UserError if the study compresses a family that has no settings for fine-tuning."""
    if config.compressions:
        raise UserError(
            f"families.{key}.train=null: does not say how to fine-tune, and compressions="
            f"{list(config.compressions)} need that. Give it a recipe (conf/train), or leave the "
            "compressions out."
        )


def _require_trainable(key: str, family: Family, task: Any, config: Study) -> None:
    """Raise a UserError if the task has no loss, or the training would move images and not their targets."""
    scored = family.model.get("_output_")
    if isinstance(scored, list) and len(scored) != 1 and task.name != "custom":
        raise UserError(
            f"families.{key}.model._output_={scored}: the task {task.name} scores one output: name one, or "
            "take the task custom, whose score gets all of them."
        )
    if family.pretrained and (family.checkpoint or not family.train):
        rival = "checkpoint" if family.checkpoint else "train=null"
        raise UserError(
            f"families.{key}.pretrained={family.pretrained}: a training begins with these weights, and "
            f"families.{key}.{rival} takes its place: leave one of them out."
        )
    if not family.train:
        return
    if getattr(task, "train_loss", "") is None and (config.compressions or not family.checkpoint):
        raise UserError(
            f"families.{key}.task.train_loss=null: a training needs the function that it minimizes: name it "
            f"as MODULE:FUNCTION, or set families.{key}.train=null and compression=[]."
        )
    if not task.maps:
        return
    train = family.train
    moved = {"flip": train.flip, "crop": train.crop, "cutout": train.cutout, "sides": train.sides != [1.0]}
    if odd := [name for name, is_on in moved.items() if is_on]:
        raise UserError(
            f"families.{key}.train.{odd[0]}={getattr(train, odd[0])}: the task {task.name} has a target for "
            f"each pixel, which this setting does not move: set it to "
            f"{'[1.0]' if odd[0] == 'sides' else 'false or 0'}."
        )


def _require_sizes(key: str, family: Family) -> None:
    """Raise a UserError if a dimension that varies has no sizes."""
    for name, one in family.varying.items():
        place = f"families.{key}.varying.{name}"
        if not name.isidentifier() or name == "batch":
            raise UserError(f"{place}: choose a name of letters, digits and _, which is not `batch`.")
        if one.least >= one.most:
            raise UserError(f"{place}.least={one.least}: should be less than most={one.most}.")
        if odd := [bound for bound in ("least", "most") if getattr(one, bound) % one.step]:
            raise UserError(
                f"{place}.{odd[0]}={getattr(one, odd[0])}: should be a multiple of step={one.step}."
            )


def _unset(settings: Any, dotted_key: str = "") -> Iterator[str]:
    """Yield the keys whose value is still `???`."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield from _unset(value, f"{dotted_key}.{key}" if dotted_key else str(key))
    elif settings == "???":
        yield dotted_key


def _options_by_variant(config: Study) -> dict[str, list[str]]:
    """Return precision/runtime -> the keys of the options that make it, of a recipe without `only`."""
    variants: dict[str, list[str]] = {}
    for key in config.runtimes:
        precision = config.option("runtimes", key).precision
        variants.setdefault(f"{precision}/{runtime_name(key, precision)}", []).append(f"runtimes.{key}")
    for key in config.quantizations:
        toolchain = config.option("quantizations", key)
        variants.setdefault(f"{toolchain.precision}/{toolchain.runtime}", []).append(f"quantizations.{key}")
    return variants


def _require_distinct(config: Study) -> None:
    """Raise a UserError if the variants of two options would have the same name."""
    for variant, keys in _options_by_variant(config).items():
        if len(keys) > 1:
            precision, _, runtime = variant.partition("/")
            raise UserError(f"{' and '.join(keys)} both make {precision} for {runtime}: choose one of them.")


def _require_existing(config: Study) -> None:
    """Raise a UserError if `export.only` names a recipe or variant that does not exist.

    Otherwise a misspelt name would leave variants out without a message. Omitting the baseline is an error as
    well.
    """
    recipes, variants = ["none", *config.compressions], _options_by_variant(config)
    for recipe, patterns in config.export.only.items():
        dotted_key = f"export.only.{recipe}"
        if recipe not in recipes:
            raise UserError(
                f"{dotted_key}: {did_you_mean(recipe, recipes)} Leave it out with `~{dotted_key}`."
            )
        for pattern in patterns:
            if not any(fnmatchcase(variant, pattern) for variant in variants):
                raise UserError(
                    f"{dotted_key}={pattern}: no precision/runtime matches it; it is "
                    f"{did_you_mean(pattern, variants)}"
                )
    if not config.export.wants(BASELINE):
        raise UserError(f"export.only.none: leaves out the baseline, {BASELINE}.")


def read_study(path: Path = paths.PARAMS, checked: bool = False) -> Study:
    """Return the configuration in `params.yaml`.

    Args:
        path: the file to read.
        checked: whether the guard has checked the file already. In that case no plugin is imported here, and
            a stage imports only the plugins that it needs.

    Raises:
        UserError: the file is missing or has faults; the message has a line for each fault.
    """
    settings = read_mapping(path, "write it with `breakeven compose`")
    return check(Study, settings) if checked else validate(settings)
