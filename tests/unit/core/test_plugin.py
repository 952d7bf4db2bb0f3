"""An option that does not work is one sentence with its key, whatever is wrong with its module."""

import sys
from pathlib import Path

import pytest

from breakeven.core import plugin
from breakeven.core.errors import UserError

WHOLE = """
from breakeven.plugins.runtimes.base import Runtime

class Mine(Runtime):
    modules = ()
    def export(self, source, folder): ...
    def load(self, folder, context, preprocessing): ...
    def start(self, folder, context): ...
"""
BROKEN = {
    "syntax": ("class Mine(\n", r"mine_syntax\.py:1: "),
    "exception": ("x = 1\nraise OSError('no licence')\n", r"mine_exception\.py:2: OSError: no licence\."),
    "no text": ("assert False\n", r"mine_no_text\.py:1: AssertionError\."),
    "exit": ("import sys\nsys.exit('bye')\n", r"mine_exit\.py:2: SystemExit: bye\."),
    "division": ("1 / 0\n", "ZeroDivisionError: division by zero"),
    "abstract": (
        "from breakeven.plugins.runtimes.base import Runtime\nclass Mine(Runtime):\n    modules = ()\n",
        r"Mine does not define export, load, start\.",
    ),
    "no modules": (
        "from breakeven.plugins.runtimes.base import Runtime\nclass Mine(Runtime):\n"
        + "".join(f"    def {name}(self): ...\n" for name in ("export", "load", "start")),
        r"Mine does not define modules\.",
    ),
    "another group": (
        "from breakeven.core.plugin import Plugin\nclass Mine(Plugin):\n    pass\n",
        r"Mine should inherit breakeven\.plugins\.runtimes\.base\.Runtime\.",
    ),
    "nothing": ("x = 1\n", "should define one option, not 0"),
    "two": (WHOLE + WHOLE.replace("Mine", "Other"), "should define one option, not 2"),
    "missing import": ("import no_such_library\n", r"No module named 'no_such_library'\): install it\."),
    "own check": (
        WHOLE + "    def model_post_init(self, context): {}['gone']\n",
        r"runtimes\.mine: its check failed: KeyError: 'gone'\.",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_option_is_one_sentence_with_its_key(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, said = BROKEN[kind]
    module = f"mine_{kind.replace(' ', '_')}"
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_options").mkdir()  # the name of a user's own option has a dot
    (tmp_path / f"own_options/{module}.py").write_text(text)
    monkeypatch.delitem(sys.modules, "own_options", raising=False)
    with pytest.raises(UserError, match=said) as refused:
        plugin.load("runtimes", {"name": f"own_options.{module}"}, "runtimes.mine")
    (sentence,) = str(refused.value).splitlines()
    assert sentence.startswith("runtimes.mine")


def test_a_module_that_is_nowhere_says_where_it_may_lie() -> None:
    with pytest.raises(UserError, match=r"put it beside dvc\.yaml or into a folder of PYTHONPATH"):
        plugin.load("runtimes", {"name": "my_runtimes.fast"}, "runtimes.mine")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("onnx_static", "onnxruntime_static"),
        ("onnxrutime_static", "onnxruntime_static"),
        ("xpenvino", "openvino"),
    ],
)
def test_a_name_that_begins_alike_is_meant_before_one_that_ends_alike(name: str, near: str) -> None:
    allowed = ["openvino_static", "onnxruntime_static", "openvino", "torch_compile_static"]
    assert f"did you mean {near!r}?" in plugin.did_you_mean(name, allowed)
