"""One GPU of NVIDIA's, and the processor cores that feed it. It needs a torch that is built with CUDA."""

from typing import Any

from pydantic import Field

from breakeven.core.errors import NotInstalled, Unsupported
from breakeven.core.extras import not_installed
from breakeven.plugins.hardware.base import Host


class Cuda(Host):
    """The GPU that `nvidia-smi` lists as number `index`; a worker sees no other.

    Memory is what torch's allocator holds on the GPU: weights, activations, workspaces. The context of CUDA
    and the libraries' kernels take hundreds of MB in every process. They do not count, as library pages do
    not count on a processor. What a library allocates without torch (ONNX Runtime does) is not seen: its row
    has no figure.
    """

    index: int = Field(0, ge=0, description="of the GPU, as torch counts them")

    @property
    def device(self) -> str:
        """Return the first GPU: a worker sees no other."""
        return "cuda:0"

    def environment(self) -> dict[str, str]:
        """Return the thread counts, and make one GPU visible."""
        return super().environment() | {
            "CUDA_VISIBLE_DEVICES": str(self.index),
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # nvidia-smi's order; CUDA's default puts the fastest first
            # Workers are forked after the imports, so no import that looks for a GPU may start CUDA.
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
        }

    def pin(self) -> dict[str, Any]:
        """Bind the threads, then start CUDA, so that its threads stay on the same cores.

        Raises:
            Unsupported: there is no such GPU, or torch cannot use it.
        """
        try:
            import torch
        except ModuleNotFoundError:
            raise NotInstalled(not_installed("torch")) from None
        bound = super().pin()
        if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
            raise Unsupported("the installed torch is built without CUDA: pytorch.org has one with it")
        try:
            # This runs a kernel, since not every build of torch has kernels for this GPU.
            torch.ones(1, device=self.device).add_(1).item()
        except (RuntimeError, AssertionError) as error:
            if "out of memory" in str(error):  # a state of today, not a property of this GPU
                raise
            reason = str(error).strip().splitlines()[0].split(". ")[0].rstrip(".")
            raise Unsupported(f"CUDA device {self.index} cannot be used: {reason}") from None
        torch.cuda.reset_peak_memory_stats()
        return {**bound, "gpu": torch.cuda.get_device_name()}

    def synchronize(self) -> None:
        """Wait for every stream, also of libraries other than torch."""
        import torch

        torch.cuda.synchronize()

    def mark(self) -> Any:
        """Record and return an event in torch's stream."""
        import torch

        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def device_ms(self, since: Any) -> float:
        """Return the time between two events, milliseconds, to half a microsecond; idle time counts."""
        now = self.mark()
        self.synchronize()
        return float(since.elapsed_time(now))

    def memory_mb(self) -> float:
        """Return the memory that tensors hold now, 10**6 bytes."""
        import torch

        return torch.cuda.memory_allocated() / 1e6

    def peak_memory_mb(self) -> float:
        """Return the most memory that tensors have held, 10**6 bytes."""
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
