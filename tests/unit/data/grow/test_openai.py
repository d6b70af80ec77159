import time
from pathlib import Path
from typing import Any

import pytest

from burnish.core.asking import Answer, Asked, Model, Writer, answers
from burnish.core.errors import DataError
from burnish.core.http_json import Server
from burnish.core.openai import openai_asker
from burnish.core.records import Message
from burnish.data.grow.openai import KEYS, served_writer, server_of
from burnish.data.grow.settings import GrowSettings
from tests.serving import Said, Seen, chat_answer, http_server


def request(text: str, seed: int = 7) -> Asked:
    return Asked((Message("system", "Be brief."), Message("user", text)), 20, 0.5, seed)


def quick(address: str, key: str = "") -> Server:
    return Server(address, key, 300.0, 0, first_pause_s=0.01, keys=KEYS)


def test_a_request_has_the_form_of_openai() -> None:
    with http_server(lambda _: chat_answer("Hello!")) as (address, seen):
        ask = openai_asker(quick(address), Model("tall", address=address))
        assert list(ask([request("Hi.")])) == [Answer("Hello!")]
    assert seen[0].path == "/v1/chat/completions"
    assert seen[0].body == {
        "model": "tall",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}],
        "max_tokens": 20,
        "temperature": 0.5,
        "seed": 7,
    }


def test_answers_come_in_order_though_requests_overlap() -> None:
    def handle(seen: Seen) -> Said:
        time.sleep(0.2 if seen.body["seed"] == 0 else 0.0)
        return chat_answer(str(seen.body["seed"]))

    with http_server(handle) as (address, _):
        ask = openai_asker(quick(address), Model("m"), concurrent=3)
        assert [one.text for one in ask([request("x", seed) for seed in range(6)])] == list("012345")


def test_an_answer_that_was_cut_off_says_so_and_a_missing_one_is_empty() -> None:
    replies = iter([chat_answer("It is", "length"), chat_answer(None), chat_answer("half \ud83d of an emoji")])
    with http_server(lambda _: next(replies)) as (address, _):
        ask = openai_asker(quick(address), Model("m"), concurrent=1)
        found = list(ask([request("x")] * 3))
    assert found == [Answer("It is", whole=False), Answer(""), Answer("half \ufffd of an emoji")]


@pytest.mark.parametrize(
    "body",
    [[], {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": {"content": 3}}]}, {"choices": "yes"},
     {"choices": [{"message": {"content": ["a"]}}]}, {"error": {"message": "no such thing"}}, None, 7, "x" * 5000],
)  # fmt: skip
def test_another_form_is_a_clear_error(body: Any) -> None:
    with (
        http_server(lambda _: Said(body)) as (address, _),
        pytest.raises(DataError, match="form of OpenAI's") as failed,
    ):
        list(openai_asker(quick(address), Model("m"))([request("x")]))
    assert len(str(failed.value)) < 600


def test_one_request_too_long_does_not_stop_the_others(tmp_path: Path) -> None:
    def handle(seen: Seen) -> Said:
        if len(seen.body["messages"][1]["content"]) > 100:
            return Said({"error": {"message": "context length exceeded"}}, 400)
        return chat_answer("fine")

    with http_server(handle) as (address, _):
        model = Model("m", address=address)
        asked = [request("short"), request("long " * 100)]
        found = list(answers(asked, Writer(model, openai_asker(quick(address), model)), tmp_path / "kept.jsonl"))
    assert found[0].text == "fine"
    assert "context length exceeded" in found[1].refused


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "key_env"), (403, "key_env"), (404, "data.grow.served"), (418, "says")]
)
def test_what_no_other_request_would_change_is_an_error(status: int, advice: str) -> None:
    with (
        http_server(lambda _: Said({"error": "key Canary12345 is wrong"}, status)) as (address, _),
        pytest.raises(DataError, match="refuses") as failed,
    ):
        list(openai_asker(quick(address, "Canary12345"), Model("m"))([request("x")]))
    assert advice in failed.value.next_move
    assert f"HTTP {status}" in failed.value.seen
    assert "Canary12345" not in str(failed.value)


def test_the_writer_is_the_model_that_the_settings_name() -> None:
    with http_server(lambda _: chat_answer("Hello!")) as (address, seen):
        writer = served_writer(GrowSettings(model=address, served="tall", paraphrase=1))
        assert not seen
        assert list(writer.ask([request("Hi.")])) == [Answer("Hello!")]
    assert writer.model == Model("tall", address=address)


def test_the_key_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = GrowSettings(
        model="http://127.0.0.1:1/v1", served="m", paraphrase=1, key_env="GROW_TEST_KEY", timeout_s=9
    )
    monkeypatch.setenv("GROW_TEST_KEY", "Canary12345\n")
    assert server_of(settings) == Server("http://127.0.0.1:1/v1", "Canary12345", 9, keys=KEYS)
    monkeypatch.setenv("GROW_TEST_KEY", "Canary 12345")
    with pytest.raises(DataError, match="GROW_TEST_KEY holds no key") as failed:
        server_of(settings)
    assert "Canary" not in str(failed.value)
    monkeypatch.delenv("GROW_TEST_KEY")
    with pytest.raises(DataError, match="GROW_TEST_KEY is not set"):
        server_of(settings)
