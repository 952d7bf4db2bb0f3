"""Texts through the service: token ids as JSON or as an array, one input or several."""

from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest
import served_texts
from safetensors.numpy import load_file
from served import npy, serving
from served_texts import MASK, TOKENS

from breakeven.serving.app import FALLBACK
from breakeven.serving.served_model import ServedModel


@pytest.fixture(scope="module", params=[served_texts.of_tokens, served_texts.of_tokens_and_masks])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx2.Client, ServedModel]]:
    model = request.param(tmp_path_factory.mktemp("texts"))
    with serving(model) as client:
        yield client, model


def body(model: ServedModel, tokens: Any, mask: Any) -> dict[str, Any]:
    """The JSON that a client sends."""
    if not model.manifest.input_names:
        return {"inputs": tokens.tolist()}
    return {"inputs": {"mask": mask.tolist(), "tokens": tokens.tolist()}}


@pytest.mark.parametrize("length", [6, 2, 12])
def test_texts_get_the_answers_that_the_weights_give(
    served: tuple[httpx2.Client, ServedModel], length: int
) -> None:
    client, model = served
    tokens, mask = np.resize(TOKENS, (4, length)), np.resize(MASK, (4, length))
    mask[:, 0] = 1
    weights = load_file(model.folder.parent / "model/model.safetensors")["said.weight"]
    shown = mask if model.manifest.input_names else np.ones_like(mask)
    logits = (weights[tokens] * shown[..., None]).sum(1)
    answer = client.post("/predict", json=body(model, tokens, mask))
    assert answer.status_code == 200 and FALLBACK not in answer.headers, answer.text
    told = answer.json()
    assert told["answered_by"] == "none/fp32/torchscript_traced"
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    for found, expected in zip(told["predictions"], shares, strict=True):
        assert [one["index"] for one in found] == np.argsort(-expected).tolist()
        assert np.allclose([one["probability"] for one in found], -np.sort(-expected), atol=1e-5)
        assert [one["class"] for one in found] == [served_texts.CLASSES[one["index"]] for one in found]


def test_the_example_of_the_interface_is_answered(served: tuple[httpx2.Client, ServedModel]) -> None:
    client, _ = served
    described = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]["content"]
    answer = client.post("/predict", json=described["application/json"]["example"])
    assert answer.status_code == 200 and len(answer.json()["predictions"]) == 1, answer.text


def test_an_array_is_one_input(served: tuple[httpx2.Client, ServedModel]) -> None:
    client, model = served
    described = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]["content"]
    answer = client.post("/predict", content=npy(TOKENS))
    if model.manifest.input_names:
        assert answer.status_code == 422 and "tokens, mask: send them as JSON" in answer.text
    else:
        assert answer.status_code == 200 and len(answer.json()["predictions"]) == 4
    assert ("application/octet-stream" in described) == (answer.status_code == 200)


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ([[9, 0, 0]], "are whole numbers from 0 to 8"),
        ([[0.5, 0, 0]], "with fractions"),
        ([[0]], "the model takes N x "),
        ([13 * [0]], "the model takes N x "),
        ([[1, 2], [1]], "has no lists of numbers of one length"),
        ([["good", "bad"]], "has no lists of numbers of one length"),
    ],
)
def test_what_are_no_token_ids_is_refused(
    served: tuple[httpx2.Client, ServedModel], tokens: list[list[Any]], said: str
) -> None:
    client, model = served
    mask = [[1] * len(text) for text in tokens]
    sent: Any = {"tokens": tokens, "mask": mask} if model.manifest.input_names else tokens
    answer = client.post("/predict", json={"inputs": sent})
    assert answer.status_code == 422 and said in answer.json()["error"], answer.text
