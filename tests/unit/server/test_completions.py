"""Completions: text and token ids that are gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_server import Live, live_server

VARIED = {"temperature": 1.0, "seed": 3, "max_tokens": 12}
TEXT = "the colour of the sky"


@pytest.fixture(scope="module")
def live(tiny_folder: Path) -> Iterator[Live]:
    with live_server() as server:
        server.catalog.add_base(str(tiny_folder))
        yield server


def said(live: Live, prompt: object, **more: object) -> list[str]:
    answer = live.client.completions.create(model="model", prompt=prompt, **{**VARIED, **more})  # type: ignore[call-overload]
    return [choice.text for choice in answer.choices]


def test_ids_and_text_of_one_prompt_have_one_answer(live: Live) -> None:
    ids = live.catalog.get("model").seat.renderer.tokenizer(TEXT)["input_ids"]
    (answer,) = said(live, TEXT)
    assert said(live, ids) == [answer]
    assert said(live, [TEXT, "x"])[0] == answer
    assert said(live, [ids, ids]) == [answer, answer]
    assert len(answer) > 3


def test_without_a_limit_sixteen_tokens_come_as_from_openai(live: Live) -> None:
    answer = live.post("/v1/completions", {"model": "model", "prompt": TEXT}).json()
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["choices"][0]["finish_reason"] == "length"


def test_an_echo_comes_before_the_answer(live: Live) -> None:
    (answer,) = said(live, TEXT)
    assert said(live, TEXT, echo=True) == [TEXT + answer]
    stream = live.client.completions.create(model="model", prompt=TEXT, echo=True, stream=True, **VARIED)  # type: ignore[call-overload]
    assert "".join(chunk.choices[0].text for chunk in stream) == TEXT + answer


def test_several_prompts_and_answers_are_numbered_prompt_by_prompt(live: Live) -> None:
    both = said(live, [TEXT, "which parcel"], n=2)
    assert both[:2] == said(live, TEXT, n=2)
    assert both[2:] == said(live, "which parcel", n=2)
    stream = live.client.completions.create(model="model", prompt=[TEXT, "which parcel"], n=2, stream=True, **VARIED)  # type: ignore[call-overload]
    streamed = ["", "", "", ""]
    for chunk in stream:
        streamed[chunk.choices[0].index] += chunk.choices[0].text
    assert streamed == both


def test_log_probabilities_stand_side_by_side(live: Live) -> None:
    choice = live.client.completions.create(model="model", prompt=TEXT, logprobs=2, **VARIED).choices[0]  # type: ignore[call-overload]
    found = choice.logprobs
    lengths = {len(found.tokens), len(found.token_logprobs), len(found.text_offset), len(found.top_logprobs)}
    assert lengths == {12}
    assert all(len(top) == 2 for top in found.top_logprobs)
    for offset, token in zip(found.text_offset, found.tokens, strict=True):
        assert token.startswith("bytes:") or choice.text[offset:].startswith(token)


def test_what_is_not_done_is_refused_by_name(live: Live) -> None:
    for wrong, param in (
        ({"suffix": "end"}, "suffix"), ({"best_of": 3}, "best_of"), ({"echo": True, "logprobs": 1}, "echo"),
        ({"prompt": []}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": [99_999]}, "prompt"),
        ({"prompt": ["a"] * 100, "n": 2}, "n"), ({"logprobs": 6}, "logprobs"),
    ):  # fmt: skip
        answer = live.post("/v1/completions", {"model": "model", "prompt": TEXT, **wrong})  # type: ignore[dict-item]
        assert answer.status_code == 400, wrong
        assert str(answer.json()["error"]["param"]).startswith(param), wrong


def test_embeddings_are_said_not_to_be_there(live: Live) -> None:
    answer = live.post("/v1/embeddings", {"model": "model", "input": "x"})
    assert answer.status_code == 400
    assert "no embeddings" in answer.json()["error"]["message"]
    assert live.post("/v1/embeddings", {"model": "nobody", "input": "x"}).status_code == 404


def test_metrics_count_answers_and_never_make_labels_of_what_clients_say(live: Live) -> None:
    said(live, TEXT)
    live.post("/v1/completions", {"model": "a-name-made-up", "prompt": TEXT})
    live.post("/v1/a-path-made-up", {})
    page = live.http.get(
        f"{live.url}/metrics", headers={"Authorization": live.client.auth_headers["Authorization"]}
    ).text
    lines = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert float(lines['burnish_completion_tokens_total{model="model"}']) >= 12
    assert float(lines['burnish_requests_total{route="/v1/completions",status="200"}']) >= 1
    assert float(lines["burnish_first_token_seconds_count"]) >= 1
    assert lines["burnish_answers_in_work"] == "0.0"
    assert "made-up" not in page
