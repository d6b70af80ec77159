"""Other engines behind the guard: names are checked here, adapters chosen for every request, answers passed through."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from burnish.core.errors import MissingTool, RecipeError
from burnish.core.run_folder import RunFolder
from burnish.server.behind import Backed, Backend, create_proxy
from burnish.server.engines import Plan, llamacpp, llamacpp_plan, vllm, vllm_plan
from burnish.server.key import Key
from burnish.server.serve import address, listen, make_server
from tests.live_server import AUTH, KEY
from tests.serving import Said, Seen, chat_answer, http_server
from tests.tiny import write_gguf_model

ASKED = {"messages": [{"role": "user", "content": "x"}]}


@contextlib.contextmanager
def proxy(backend: Backend) -> Iterator[httpx.Client]:
    opened = listen("127.0.0.1", 0)
    server = make_server(create_proxy(backend, Key(KEY), log=lambda entry: None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
    thread.start()
    try:
        with httpx.Client(base_url=address(opened), headers=AUTH, timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        opened.close()


def test_what_is_asked_goes_on_with_the_adapter_of_its_name() -> None:
    def handle(seen: Seen) -> Said:
        return chat_answer("no", finish="length") if seen.body["messages"] else Said({"error": {"message": "bad"}}, 400)

    with http_server(handle) as (url, seen):
        models = {
            "base": Backed(fields={"lora": [{"id": 0, "scale": 0.0}]}, defaults={"temperature": 0}),
            "mine": Backed("base", {"lora": [{"id": 0, "scale": 1.0}]}, {"temperature": 0}),
        }
        with proxy(Backend(url.removesuffix("/v1"), "key-behind", models)) as client:
            assert [one["id"] for one in client.get("/v1/models").json()["data"]] == ["base", "mine"]
            assert client.get("/v1/models/mine").json()["parent"] == "base"
            answer = client.post("/v1/chat/completions", json={"model": "mine", "lora": [], **ASKED})
            assert answer.json()["choices"][0]["finish_reason"] == "length"
            assert seen[-1].body == {"model": "mine", "temperature": 0, "lora": [{"id": 0, "scale": 1.0}], **ASKED}
            assert seen[-1].headers["Authorization"] == "Bearer key-behind"
            client.post("/v1/completions", json={"model": "base", "temperature": 1, **ASKED})
            assert (seen[-1].path, seen[-1].body["temperature"]) == ("/v1/completions", 1)
            assert client.post("/v1/chat/completions", json={"model": "mine", "messages": []}).status_code == 400
            before = len(seen)
            for wrong in ({"model": "other", **ASKED}, ASKED, {"model": ["mine"], **ASKED}):
                refused = client.post("/v1/chat/completions", json=wrong)
                assert (refused.status_code, refused.json()["error"]["code"]) == (404, "model_not_found")
            unknown = httpx.post(f"{client.base_url}/v1/chat/completions", json={"model": "mine", **ASKED})
            assert unknown.status_code == 401
            assert len(seen) == before


def test_an_engine_that_is_gone_is_a_503() -> None:
    with proxy(Backend("http://127.0.0.1:9", "k", {"base": Backed()})) as client:
        answer = client.post("/v1/chat/completions", json={"model": "base", **ASKED})
        assert answer.status_code == 503
        assert answer.json()["error"]["type"] == "server_error"


def test_llama_cpp_answers_in_a_child_process(tiny_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    plan = Plan(write_gguf_model(tmp_path / "tiny.gguf", tiny_folder), "tiny", {})
    with llamacpp(plan, dtype="float32", slots=1, longest=5) as backend, proxy(backend) as client:
        assert client.get("/health").status_code == 200
        whole = client.post("/v1/chat/completions", json={"model": "tiny", **ASKED}).json()
        assert whole["usage"]["completion_tokens"] == 5
        with client.stream("POST", "/v1/chat/completions", json={"model": "tiny", "stream": True, **ASKED}) as answer:
            lines = [line for line in answer.iter_lines() if line.startswith("data: {")]
        said = "".join(json.loads(line[6:])["choices"][0]["delta"].get("content") or "" for line in lines)
        assert said == whole["choices"][0]["message"]["content"]
        assert httpx.get(f"{backend.address}/v1/models").status_code in (200, 401)
        assert httpx.post(f"{backend.address}/v1/chat/completions", json=ASKED).status_code == 401


def test_nothing_exported_is_said_with_the_command_that_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecipeError, match="no run to serve"):
        llamacpp_plan([RunFolder(tmp_path)])
    merged = tmp_path / "export" / "merged"
    merged.mkdir(parents=True)
    (merged / "config.json").write_text("{}")
    plan = vllm_plan([RunFolder(tmp_path)])
    assert plan == Plan(merged.resolve(), tmp_path.name, {})
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("BURNISH_VLLM", raising=False)
    with pytest.raises(MissingTool, match="vLLM is not here"), vllm(plan, dtype="float32", slots=1, longest=5):
        pass
