"""Claims about interpreters and preprocessing, asserted or refuted on this build."""

import io
import pickle
import zipfile
from collections import Counter

import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

PREPROCESSING = nn.Sequential(
    v2.Resize((8, 8), antialias=True), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.25])
)
IMAGES = torch.arange(2 * 256, dtype=torch.int64).remainder(251).to(torch.uint8).reshape(2, 1, 16, 16)


class PlusOne(nn.Module):
    """One operation."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 1


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")  # both ways are deprecated
def test_the_interpreter_takes_six_instructions_for_one_addition() -> None:
    """Only one of them computes: `OP`, whose table of operators has `aten::add` alone."""
    saved = torch.jit.script(PlusOne())._save_to_buffer_for_lite_interpreter()
    with zipfile.ZipFile(io.BytesIO(saved)) as files:
        _, (name, parts, _) = pickle.loads(files.read("archive/bytecode.pkl"))
    code = dict(parts)
    assert name.endswith("PlusOne.forward")
    assert [instruction for instruction, *_ in code["instructions"]] == [
        *("STOREN", "DROPR", "MOVE"),  # the arguments, without `self`
        *("LOADC", "OP", "RET"),
    ]
    assert [operator for operator, *_ in code["operators"]] == ["aten::add"]
    assert code["constants"] == (1,)


@pytest.mark.filterwarnings("ignore")  # trace is deprecated, and warns of sizes that it takes as constants
def test_resize_to_tensor_and_normalize_stay_operations_of_their_own_in_torchscript() -> None:
    """So "preprocessing is fused into one kernel" is false there."""
    graph = torch.jit.freeze(torch.jit.trace(PREPROCESSING, IMAGES).eval()).graph
    kinds = Counter(node.kind() for node in graph.nodes())
    resize = ["aten::_upsample_bilinear2d_aa"]
    assert all(kinds[kind] for kind in [*resize, "aten::to", "aten::sub", "aten::div_"])


def test_inductor_fuses_all_of_the_preprocessing_but_the_resize() -> None:
    from torch._inductor.utils import run_and_get_code

    torch._dynamo.reset()
    with torch.no_grad():
        outputs, (code,) = run_and_get_code(torch.compile(PREPROCESSING), IMAGES)
    assert torch.allclose(outputs, PREPROCESSING(IMAGES), atol=1e-5)
    body = code[code.index("def call(") :]
    assert body.count("= torch.ops.aten._upsample_bilinear2d_aa") == 1  # a call of torch's own kernel
    assert body.count("cpp_fused_") == 1
