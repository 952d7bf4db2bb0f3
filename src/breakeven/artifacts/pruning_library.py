"""torch-pruning, imported without timm.

torch-pruning uses timm only to count operations, which Breakeven does itself. With timm come torchvision and
torch.compile, which take most of the seconds that the import needs. Each replicate of a benchmark would pay
them again.
"""

import sys

NOT_NEEDED = "timm"

_blocked = NOT_NEEDED not in sys.modules
if _blocked:
    sys.modules[NOT_NEEDED] = None  # type: ignore[assignment] # so that its import fails, as if not installed
try:
    import torch_pruning
finally:
    if _blocked:
        del sys.modules[NOT_NEEDED]

__all__ = ["torch_pruning"]
