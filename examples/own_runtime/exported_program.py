"""The graph that torch.export saves, run by torch. It needs no package besides torch."""

from pathlib import Path

from breakeven.core.errors import Unsupported
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

FILE = "model.pt2"


class ExportedProgram(Runtime):
    """Settings of this runtime: each field is a key that its yaml file may set."""

    modules = ("torch",)  # imported before a worker is forked, so that no measurement holds the import

    strict: bool = False  # follow the model's bytecode, instead of its calls

    def export(self, source: ExportInput, folder: Path) -> None:
        """Save the graph, for any number of images."""
        import torch

        batch = torch.export.Dim("batch")
        try:
            program = torch.export.export(
                source.model, (source.example,), dynamic_shapes=({0: batch},), strict=self.strict
            )
        except (RuntimeError, ValueError) as error:
            raise Unsupported(f"torch.export cannot take this model: {str(error)[:200]}") from None
        torch.export.save(program, folder / FILE)

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of threads; refuse a GPU."""
        import torch

        context.require(("cpu",), "this runtime")
        torch.set_flush_denormal(True)  # as every runtime does: denormal numbers are slow
        torch.set_num_threads(context.threads)

    def load(self, folder: Path, context: ExecutionContext, preprocessing: str) -> Session:
        """Load the graph; only the session's `run` is timed."""
        import torch

        model = torch.export.load(folder / FILE).module()

        def run(images: torch.Tensor) -> torch.Tensor:
            with torch.inference_mode():
                logits: torch.Tensor = model(images)
            return logits

        return Session(prepare=torch.from_numpy, run=run, result=lambda logits: logits.numpy())
