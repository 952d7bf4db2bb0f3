"""A study: all its settings, and the options that they name."""

from typing import Any

from pydantic import Field

from breakeven.artifacts.model_manifest import Input
from breakeven.artifacts.varying import VaryingDimension, dimensions
from breakeven.config.sections import Export, Family, Measure, Recommend, Settings, Steps
from breakeven.core.errors import UserError
from breakeven.core.plugin import StrictModel, check, did_you_mean, load

# Section of the configuration -> the package of its options
OPTION_GROUPS = {
    "datasets": "datasets",
    "runtimes": "runtimes",
    "quantizations": "quantization",
    "hardware": "hardware",
}


class Study(StrictModel):
    """All settings of a study. Each option checks its own section."""

    study: str = Field(description="name of the study, a file in `conf/study`")
    seed: int = Field(ge=0, lt=2**32, description="of training, and of the order of measurements")
    profile: bool = Field(
        True, description="measure where the time goes, before anything is optimized and in what is deployed"
    )
    ladder: bool = Field(
        False,
        description="measure what each pass of the compiler gains in the runtime of what is deployed: one or "
        "two minutes a family; `profile: false` leaves it out, too",
    )
    serve: bool = Field(
        False,
        description="measure how fast a service answers with what is deployed, and what several callers get "
        "through; some 20 minutes a family",
    )
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
