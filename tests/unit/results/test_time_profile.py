"""Parts of a call: they add up, and so do the parts of a difference."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from time_profiles import profile

from breakeven.artifacts.operator_kinds import ACTIVATION, CONVERSION, CONVOLUTION, LINEAR
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.results import time_profile, waterfall
from breakeven.results.time_profile import OperatorPart, ProfileRecord, TimeProfile, bound

NAMES = ("Conv", "Relu", "Gemm", "Cast", "Reshape")


@st.composite
def profiles(draw: st.DrawFn) -> TimeProfile:
    times = st.floats(0, 1e5)
    return profile(
        draw(st.sampled_from(["none/fp32/eager", "none/int8-static/onnxruntime"])),
        draw(st.floats(1, 1e6)),
        dispatch=draw(times),
        **draw(st.dictionaries(st.sampled_from(NAMES), times)),
    )


@given(profiles())
def test_the_parts_add_up_to_the_call(one: TimeProfile) -> None:
    assert sum(one.parts().values()) == pytest.approx(one.us, abs=1e-6)


@given(profiles(), profiles())
def test_the_steps_add_up_to_both_calls(one: TimeProfile, two: TimeProfile) -> None:
    found = waterfall.steps(one, two)
    assert sum(step.before for step in found) == pytest.approx(one.us, abs=1e-6)
    assert sum(step.after for step in found) == pytest.approx(two.us, abs=1e-6)
    assert sum(step.us for step in found) == pytest.approx(two.us - one.us, abs=1e-6)
    assert [*waterfall.sentences(one, two)]


def test_a_bound_is_amdahls() -> None:
    one = profile(Conv=50.0, Gemm=25.0)
    found = bound(one, "int8", (CONVOLUTION, LINEAR, CONVERSION), 0.25)
    assert found.parts == [CONVOLUTION, LINEAR]  # nothing is converted here
    assert (found.share, found.at_most) == (pytest.approx(0.75), pytest.approx(4.0))
    assert found.expected == pytest.approx(1 / (0.25 + 0.75 * 0.25))


def test_what_is_unexplained_is_said() -> None:
    assert profile(Conv=50.0).unexplained_us == pytest.approx(100 - 50 - 10 - 5 - 3)
    assert profile(Conv=90.0).unexplained_us < 0  # the parts are too much: that is said, too


@pytest.mark.parametrize(("profiled", "marked"), [(124.0, False), (126.0, True)])
def test_a_profile_that_inflates_by_more_than_a_quarter_is_marked(profiled: float, marked: bool) -> None:
    slow = profile(profiled=profiled, Conv=50.0)
    said = " ".join(waterfall.sentences(slow, profile("none/fp32/r", 50.0, 55.0, 2.0, Conv=30.0)))
    assert slow.is_distorted is marked and ("single lines of it are estimates" in said) is marked


def test_calls_that_take_the_same_time_have_no_culprit() -> None:
    said = " ".join(waterfall.sentences(profile(Conv=60.0), profile("none/fp32/r", 100.5, 101.0, Conv=40.0)))
    assert "differ by less than 1%" in said and "largest part" not in said


def test_fused_operators_and_precision_are_named() -> None:
    first = profile(Conv=60.0, Relu=20.0)
    second = profile("none/int8-static/onnxruntime", 40.0, 44.0, 2.0, QLinearConv=20.0, DequantizeLinear=8.0)
    why = {step.name: step.why for step in waterfall.steps(first, second)}
    assert why[ACTIVATION] == "gone: Relu"
    assert why[CONVOLUTION] == "fp32 → int8: Conv → QLinearConv"
    assert why[CONVERSION] == "new: DequantizeLinear"
    said = " ".join(waterfall.sentences(first, second))
    assert "The largest part of the difference is convolution: 60.0 µs → 20.0 µs, 67% of it" in said
    assert "Against it goes copies and conversions: 0.0 µs → 8.0 µs" in said
    assert "Copies and conversions take 20% of the call of none/int8-static/onnxruntime" in said


@pytest.mark.parametrize(
    ("us", "told"),
    [
        (40.0, "can make it 2.5x as fast at most. It is 2.50x as fast: the rest of the call binds."),
        (90.0, "at most. It is 1.11x as fast: the int8 operators, and what they need around them, are what"),
    ],
)
def test_what_binds_int8_is_said(us: float, told: str) -> None:
    first = profile("none/fp32/onnxruntime", Conv=60.0, Relu=20.0)
    second = profile("none/int8-static/onnxruntime", us, us, 2.0, QLinearConv=us - 12)
    assert told in " ".join(waterfall.sentences(first, second))


@pytest.mark.parametrize(
    "first",
    [
        profile("none/fp32/eager", Conv=60.0),  # the runtime differs, too
        profile("prune50/fp32/onnxruntime", Conv=60.0),  # the model differs, too
        profile("none/int8-dynamic/onnxruntime", ConvInteger=60.0),
        profile("none/fp32/onnxruntime", Conv=100.0),  # nothing else takes time
    ],
)
def test_what_int8_can_gain_is_said_only_where_nothing_else_changed(first: TimeProfile) -> None:
    second = profile("none/int8-static/onnxruntime", 40.0, 44.0, 2.0, QLinearConv=30.0)
    assert "at most" not in " ".join(waterfall.sentences(first, second))


def test_what_stayed_in_floating_point_is_said() -> None:
    mixed = profile("none/int8-static/onnxruntime", QLinearConv=20.0)
    mixed.operators.append(OperatorPart("Gemm", "fp32", LINEAR, 30.0, 1.0))
    said = " ".join(waterfall.sentences(profile(Conv=60.0), mixed))
    assert "Not in int8: Gemm; 30% of the call of none/int8-static/onnxruntime." in said


def test_a_record_of_another_version_is_one_sentence(tmp_path: Path) -> None:
    write_json(tmp_path / "profile.json", {"family": "cnn", "profile": {"us": 1.0}, "bounds": []})
    with pytest.raises(UserError, match="of another version of Breakeven: run `dvc repro`"):
        time_profile.read(tmp_path / "profile.json")


def test_records_survive_their_files(tmp_path: Path) -> None:
    one = profile(Conv=50.0)
    before = ProfileRecord("cnn", "cpu1", 1, one, [bound(one, "int8", (CONVOLUTION,), 0.25)])
    before.write(tmp_path / "profile.json")
    assert time_profile.read(tmp_path / "profile.json") == before
    none = ProfileRecord("cnn", "cuda", 1, None, [], "no such device")
    none.write(tmp_path / "none.json")
    assert time_profile.read(tmp_path / "none.json") == none
