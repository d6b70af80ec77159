"""Names come and go while requests are at work, and nobody is ever answered by another model's weights."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import httpx
import openai
import pytest

from burnish.core.errors import BurnishError
from tests.live_server import Live, live_server, write_random_adapter

ASKED = [{"role": "user", "content": "the sky is blue and the grass is green, and what else?"}]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "adapters"


@pytest.fixture
def live(tiny_folder: Path, folder: Path) -> Iterator[Live]:
    with live_server(roots=[folder], capacity=256) as server:
        server.catalog.add_base(str(tiny_folder))
        yield server


def say(live: Live, model: str, *, asked: object = ASKED, seed: int = 1) -> str:
    body = {"model": model, "messages": asked, "max_tokens": 8, "temperature": 1, "seed": seed}
    answer = live.post("/v1/chat/completions", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def test_adapters_are_loaded_and_unloaded_over_http(live: Live, folder: Path) -> None:
    path = write_random_adapter(folder / "a", 1)
    wanted = {"lora_name": "late", "lora_path": str(path)}
    with pytest.raises(openai.NotFoundError):
        live.client.chat.completions.create(model="late", messages=ASKED)  # type: ignore[arg-type]
    assert live.post("/v1/load_lora_adapter", wanted).status_code == 200
    assert say(live, "late") != say(live, "model")
    assert live.post("/v1/load_lora_adapter", wanted).status_code == 400  # taken
    assert live.post("/v1/load_lora_adapter", {**wanted, "load_inplace": True}).status_code == 200
    assert live.post("/v1/unload_lora_adapter", {"lora_name": "late"}).status_code == 200
    assert live.post("/v1/unload_lora_adapter", {"lora_name": "late"}).status_code == 404
    with pytest.raises(openai.NotFoundError):  # and not the base's answer
        live.client.chat.completions.create(model="late", messages=ASKED)  # type: ignore[arg-type]
    assert live.worker.do(lambda: live.catalog.get("model").seat.decoder.bank.keys).result() == ()  # type: ignore[union-attr]


def test_a_model_is_deleted_as_openai_s_client_does_it(live: Live, folder: Path) -> None:
    live.catalog.add_adapter("mine", write_random_adapter(folder / "a", 1))
    assert live.client.models.delete("mine").deleted
    assert [model.id for model in live.client.models.list()] == ["model"]
    with pytest.raises(openai.NotFoundError):
        live.client.models.retrieve("mine")


def test_only_folders_below_a_root_can_be_named(live: Live, folder: Path, tmp_path: Path, tiny_folder: Path) -> None:
    inside, outside = write_random_adapter(folder / "a", 1), write_random_adapter(tmp_path / "elsewhere", 2)
    (folder / "link").symlink_to(outside)
    for path in (outside, tiny_folder, folder, folder / "link", folder / "none", inside / ".." / ".." / "elsewhere",
                 "/etc", "../elsewhere", "~", "a\0b", "x" * 4000, inside / "adapter_config.json"):  # fmt: skip
        answer = live.post("/v1/load_lora_adapter", {"lora_name": "sly", "lora_path": str(path)})
        assert (answer.status_code, answer.json()["error"]["param"]) == (404, "lora_path"), path
    assert [one.name for one in live.catalog.all()] == ["model"]


def test_a_damaged_adapter_is_refused_and_what_was_there_stays(live: Live, folder: Path) -> None:
    live.catalog.add_adapter("mine", write_random_adapter(folder / "a", 1))
    before = say(live, "mine")
    broken = write_random_adapter(folder / "b", 2)
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    answer = live.post("/v1/load_lora_adapter", {"lora_name": "mine", "lora_path": str(broken), "load_inplace": True})
    assert answer.status_code == 400
    assert "cannot be read" in answer.json()["error"]["message"]
    (broken / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4, "lora_alpha": -1}')
    with pytest.raises(BurnishError):
        live.catalog.add_adapter("mine", broken)
    assert say(live, "mine") == before


def test_a_request_at_work_ends_on_the_weights_that_it_began_with(live: Live, folder: Path) -> None:
    first, second = (write_random_adapter(folder / name, seed) for name, seed in (("a", 1), ("b", 2)))
    live.catalog.add_adapter("mine", first)
    body = {"model": "mine", "messages": ASKED, "max_tokens": 300, "temperature": 1, "seed": 1}
    alone = live.post("/v1/chat/completions", body).json()["choices"][0]["message"]["content"]
    stream = live.client.chat.completions.create(**body, stream=True)  # type: ignore[call-overload]
    said = next(stream).choices[0].delta.content
    live.catalog.add_adapter("mine", second)
    said += "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert said == alone
    assert live.post("/v1/chat/completions", body).json()["choices"][0]["message"]["content"] != alone


def test_hundreds_of_requests_under_reloads_get_no_wrong_answer(live: Live, folder: Path) -> None:
    """Eight adapters and the base under one shared prefix; one name is reloaded with two contents all the while."""
    for number in range(8):
        live.catalog.add_adapter(f"n{number}", write_random_adapter(folder / f"n{number}", number))
    swapped = [write_random_adapter(folder / f"swap{number}", 100 + number) for number in range(2)]
    live.catalog.add_adapter("swap", swapped[0])
    names = ["model", *(f"n{number}" for number in range(8))]
    asked = [[*ASKED[:-1], {"role": "user", "content": ASKED[0]["content"] + end}] for end in ("", "!", " why?")]
    right = {(name, at): say(live, name, asked=one) for name in names for at, one in enumerate(asked)}
    assert len({right[name, 0] for name in names}) == 9
    live.catalog.add_adapter("swap", swapped[1])
    either = {say(live, "swap")}
    live.catalog.add_adapter("swap", swapped[0])
    either.add(say(live, "swap"))
    over = Event()

    def reload() -> None:
        at = 0
        while not over.wait(0.02):
            live.catalog.add_adapter("swap", swapped[at := 1 - at])

    thread = Thread(target=reload)
    thread.start()
    chance = random.Random(0)
    jobs = [(chance.choice([*names, "swap", "gone"]), chance.randrange(3)) for _ in range(120)]

    def job(of: tuple[str, int]) -> bool:
        name, at = of
        if name == "gone":
            answer = live.post("/v1/chat/completions", {"model": "gone", "messages": ASKED})
            return answer.status_code == 404
        return say(live, "swap") in either if name == "swap" else say(live, name, asked=asked[at]) == right[name, at]

    try:
        with ThreadPoolExecutor(6) as pool:
            outcomes = list(pool.map(job, jobs))
    finally:
        over.set()
        thread.join()
    assert outcomes.count(False) == 0
    bank = live.catalog.get("model").seat.decoder.bank
    assert bank is not None
    assert len(live.worker.do(lambda: bank.keys).result()) == 9  # what was reloaded away is gone


def test_a_slot_is_free_within_a_second_of_its_client_s_leaving(live: Live) -> None:
    body = {"model": "model", "messages": ASKED, "max_tokens": 450, "stream": True, "temperature": 1, "seed": 2,
            "logit_bias": {"2": -100}}  # fmt: skip
    with httpx.stream("POST", f"{live.url}/v1/chat/completions", json=body,
                      headers={"Authorization": live.client.auth_headers["Authorization"]}) as answer:  # fmt: skip
        lines = answer.iter_lines()
        next(lines)
        assert live.worker.load == 1
    left = time.monotonic()
    while live.worker.load and time.monotonic() - left < 5:
        time.sleep(0.01)
    assert time.monotonic() - left < 1
    assert live.worker.do(lambda: live.catalog.get("model").seat.engine.active).result() == 0


def test_beyond_capacity_requests_are_told_to_come_back(tiny_folder: Path) -> None:
    with live_server(capacity=2) as live:
        live.catalog.add_base(str(tiny_folder))
        answer = live.post("/v1/chat/completions", {"model": "model", "messages": ASKED, "n": 3})
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"]["code"] == "rate_limit_exceeded"
        assert live.worker.load == 0
        assert live.post("/v1/chat/completions", {"model": "model", "messages": ASKED, "n": 2}).status_code == 200


def test_a_pass_that_fails_fails_its_requests_and_not_the_server(live: Live) -> None:
    norm = live.catalog.get("model").seat.decoder.model.norm.weight
    before = say(live, "model")
    was = live.worker.do(lambda: norm.clone()).result()
    live.worker.do(lambda: norm.fill_(math.nan)).result()
    with ThreadPoolExecutor(3) as pool:
        answers = list(
            pool.map(lambda n: live.post("/v1/chat/completions", {"model": "model", "messages": ASKED}), "abc")
        )
    assert [answer.status_code for answer in answers] == [500, 500, 500]
    assert answers[0].json()["error"]["type"] == "server_error"
    live.worker.do(lambda: norm.copy_(was)).result()
    assert say(live, "model") == before
    assert live.worker.load == 0
