"""One GPU of NVIDIA's, and the processor cores that feed it; torch is imported in the worker only."""

from typing import Any

from pydantic import Field

from breakeven.core.errors import Unsupported
from breakeven.plugins.hardware.base import Host


class Cuda(Host):
    """The GPU that `nvidia-smi` lists as number `index`; a worker sees no other.

    Memory is the GPU's, as torch's allocator counts it: tensors (weights, activations, workspaces), at their
    peak. The context and the libraries' kernels, hundreds of MB in every process that uses CUDA at all, are
    no part of that, as library pages are none of a processor's figure: what is imported is the floor. Nor is
    what a library allocates past torch (ONNX Runtime does): then nothing is seen, and the row has no figure.
    """

    index: int = Field(0, ge=0)

    @property
    def device(self) -> str:
        """The first, since there is no other."""
        return "cuda:0"

    def environment(self) -> dict[str, str]:
        """The thread counts, and the GPU."""
        return super().environment() | {
            "CUDA_VISIBLE_DEVICES": str(self.index),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # nvidia-smi's; CUDA's own puts the fastest first
            # An import that asks torch for a GPU must not start CUDA: workers are forked after the imports.
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        }

    def pin(self) -> dict[str, Any]:
        """Bind the threads, then start CUDA, so that its threads stay on the same cores.

        Raises:
            Unsupported: there is no such GPU, or torch cannot use it.
        """
        import torch

        bound = super().pin()
        if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
            raise Unsupported("the installed torch is built without CUDA: pytorch.org has one with it")
        try:
            torch.ones(1, device=self.device).add_(1).item()  # a kernel: not every build has this GPU's
        except (RuntimeError, AssertionError) as error:
            if "out of memory" in str(error):  # of this GPU, today
                raise
            reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
            raise Unsupported(f"CUDA device {self.index} cannot be used: {reason}") from None
        torch.cuda.reset_peak_memory_stats()
        return {**bound, "gpu": torch.cuda.get_device_name()}

    def synchronize(self) -> None:
        """Wait for every stream, those of other libraries than torch too."""
        import torch

        torch.cuda.synchronize()

    def mark(self) -> Any:
        """An event in torch's stream."""
        import torch

        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def device_ms(self, since: Any) -> float:
        """Between two events, to half a microsecond; idle time counts."""
        now = self.mark()
        self.synchronize()
        return float(since.elapsed_time(now))

    def memory_mb(self) -> float:
        """What tensors hold now."""
        import torch

        return torch.cuda.memory_allocated() / 1e6

    def peak_memory_mb(self) -> float:
        """The most that tensors have held."""
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
