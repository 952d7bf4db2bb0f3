"""A difference of graphs shows what a pass did, not how it numbered its values."""

from breakeven.diagnosis.graph_text import difference, without_comments

BEFORE = (
    "graph(%x.1 : Tensor):\n  %3 : int = prim::Constant[value=2]()\n  %4 = aten::mul(%x.1, %3) # m.py:3:8\n"
)


def test_names_of_values_and_comments_do_not_count() -> None:
    renamed = BEFORE.replace("%3", "%7").replace(" # m.py:3:8", " # m.py:9:1")
    assert difference(BEFORE, renamed, ("trace", "clean")) == ""


def test_a_node_that_went_is_a_line_with_a_minus() -> None:
    said = difference(BEFORE, BEFORE.replace("aten::mul", "aten::add"), ("trace", "clean")).splitlines()
    assert said[:2] == ["--- trace", "+++ clean"]
    assert "-  %_ = aten::mul(%_, %_)" in said and "+  %_ = aten::add(%_, %_)" in said


def test_a_number_sign_within_a_line_is_no_comment() -> None:
    assert without_comments('%1 : str = prim::Constant[value="#x"]()') == (
        '%1 : str = prim::Constant[value="#x"]()'
    )
