"""The sections of a study's configuration."""

from dataclasses import fields
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

from pydantic import Field

from breakeven.config.training import TrainingConfig
from breakeven.core.plugin import StrictModel
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
