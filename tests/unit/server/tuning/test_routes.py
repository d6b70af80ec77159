"""Files and jobs through the real client: what it gets, and what it is told when it asks for what cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI

from tests.tuning import tuning_server
from tests.unit.server.tuning.rows import chat, jsonl, pair


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose jobs stay where they are."""
    with tuning_server(tmp_path_factory.mktemp("desk")) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> OpenAI:
    return OpenAI(base_url=address, api_key="any", max_retries=0)


@pytest.fixture(scope="module")
def chats(client: OpenAI) -> str:
    return client.files.create(file=("chats.jsonl", jsonl()), purpose="fine-tune").id


def refused(call: Any, **said: Any) -> APIStatusError:
    with pytest.raises(APIStatusError) as error:
        call(**said)
    body = error.value.response.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    assert body["type"] == "invalid_request_error"
    return error.value


def test_a_file_comes_back_as_it_was_sent_and_is_gone_when_deleted(client: OpenAI) -> None:
    file = client.files.create(file=("../../etc/passwd.jsonl", jsonl()), purpose="fine-tune")
    assert file.filename == "passwd.jsonl"
    assert (file.object, file.purpose, file.status, file.bytes) == ("file", "fine-tune", "processed", len(jsonl()))
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id) == file
    assert client.files.content(file.id).content == jsonl()
    assert client.files.delete(file.id).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(NotFoundError):
            call(file.id)


def test_files_are_listed_newest_first_page_by_page(client: OpenAI) -> None:
    made = [client.files.create(file=(f"{n}.jsonl", jsonl()), purpose="fine-tune").id for n in range(3)]
    assert [file.id for file in client.files.list()][:3] == made[::-1]
    page = client.files.list(limit=2)
    assert [file.id for file in page.data] == made[:0:-1]
    assert page.has_more
    assert client.files.list(limit=1, after=made[1]).data[0].id == made[0]
    assert [file.id for file in client.files.list(order="asc", limit=1, after=made[0])] == made[1:]
    assert not client.files.list(purpose="fine-tune-results").data


UPLOADS: dict[str, tuple[Any, dict[str, Any], str, str | None]] = {
    "empty file": (("a.jsonl", b""), {}, "The file is empty.", "file"),
    "no JSON": (("a.jsonl", b"prompt,completion\n"), {}, "Line 1 is not valid JSON", "file"),
    "line 3 cut": (("a.jsonl", jsonl(line=3, bad=b'{"messages": [')), {}, "Line 3 is not valid JSON", "file"),
    "line 2 a list": (("a.jsonl", jsonl(line=2, bad=[])), {}, "line 2 is not one", "file"),
    "not UTF-8": (("a.jsonl", b"\xff\xfe{}\n"), {}, "Line 1 is not UTF-8", "file"),
    "no such purpose": (("a.jsonl", jsonl()), {"purpose": "batch"}, "Supported values are: 'fine-tune'", "purpose"),
    "purpose empty": (("a.jsonl", jsonl()), {"purpose": ""}, "Missing required parameter: 'purpose'", "purpose"),
    "kept for a minute": (("a.jsonl", jsonl()), {"expires_after": {"anchor": "created_at", "seconds": 60}},
                          "between 3600 and 2592000", "expires_after.seconds"),
}  # fmt: skip


@pytest.mark.parametrize("name", UPLOADS)
def test_a_malformed_upload_is_refused_and_leaves_nothing(name: str, client: OpenAI) -> None:
    file, more, said, param = UPLOADS[name]
    before = len(client.files.list().data)
    error = refused(client.files.create, **{"file": file, "purpose": "fine-tune", **more})
    assert isinstance(error, BadRequestError)
    assert said in error.message
    assert error.param == param
    assert len(client.files.list().data) == before


def test_a_body_that_is_no_form_or_holds_no_file_is_refused(address: str) -> None:
    def post(**said: Any) -> httpx.Response:
        return httpx.post(f"{address}/files", **said)

    form = {"content-type": "multipart/form-data; boundary=x"}
    bodies: list[dict[str, Any]] = [
        {"json": {"file": "a"}},
        {"content": b"nothing", "headers": form},
        {"content": b"--x\r\n\r\n", "headers": form},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
        {"data": {"purpose": "fine-tune"}, "files": {"other": ("a.jsonl", b"{}")}},
        {"files": [("file", ("a", b"{}")), ("file", ("b", b"{}"))]},
        {"files": [(f"f{n}", (None, b"x")) for n in range(20)]},
        {"files": [("purpose", (None, b"x" * 5000)), ("file", ("a", b"{}"))]},
    ]
    for body in bodies:
        response = post(**body)
        assert response.status_code == 400, response.text
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


JOBS: dict[str, tuple[dict[str, Any], str, str | None, str | None]] = {
    "unknown model": ({"model": "gpt-9"}, "Available are: tiny", "model", "model_not_available"),
    "a path as model": ({"model": "../../models/x"}, "not available", "model", "model_not_available"),
    "a tuned model": ({"model": "ft:tiny:burnish::abc"}, "is tuned already", "model", "model_not_available"),
    "unknown file": ({"training_file": "file-none"}, "there is no file", "training_file", "invalid_file_id"),
    "a path as file": ({"training_file": "../desk.sqlite"}, "there is no file", "training_file", "invalid_file_id"),
    "no file": ({"training_file": None}, "expected a string, but got null", "training_file", "invalid_type"),
    "unknown validation": ({"validation_file": "file-none"}, "there is no", "validation_file", "invalid_file_id"),
    "validated by itself": ({"validation_file": "SAME"}, "is the training file", "validation_file", "invalid_file_id"),
    "n_epochs 0": ({"hyperparameters": {"n_epochs": 0}}, "Expected a value >= 1, but got 0",
                   "hyperparameters.n_epochs", "integer_below_min_value"),
    "n_epochs 51": ({"hyperparameters": {"n_epochs": 51}}, "<= 50", "hyperparameters.n_epochs",
                    "integer_above_max_value"),
    "n_epochs many": ({"hyperparameters": {"n_epochs": "many"}}, "values are: 'auto' and numbers",
                      "hyperparameters.n_epochs", "invalid_value"),
    "n_epochs 1.5": ({"hyperparameters": {"n_epochs": 1.5}}, "expected an integer", "hyperparameters.n_epochs",
                     "invalid_type"),
    "batch of true": ({"hyperparameters": {"batch_size": True}}, "expected an integer, but got a boolean",
                      "hyperparameters.batch_size", "invalid_type"),
    "rate below zero": ({"hyperparameters": {"learning_rate_multiplier": -1.0}}, "> 0",
                        "hyperparameters.learning_rate_multiplier", "decimal_below_min_value"),
    "beta below zero": ({"method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": -0.1}}}}, "> 0",
                        "method.dpo.hyperparameters.beta", "decimal_below_min_value"),
    "beta of supervised": ({"method": {"type": "supervised", "supervised": {"hyperparameters": {"beta": 0.1}}}},
                           "Unknown parameter", "method.supervised.hyperparameters.beta", "unknown_parameter"),
    "no type": ({"method": {"supervised": {}}}, "Missing required parameter", "method.type",
                "missing_required_parameter"),
    "no such method": ({"method": {"type": "kto"}}, "Supported values are", "method.type", "invalid_value"),
    "reinforcement": ({"method": {"type": "reinforcement", "reinforcement": {"grader": {}}}}, "not available on this",
                      "method.type", "invalid_value"),
    "the other's settings": ({"method": {"type": "dpo", "supervised": {}}}, "does not belong", "method.supervised",
                             "invalid_value"),
    "said twice": ({"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
                    "hyperparameters": {"n_epochs": 3}}, "different things", "hyperparameters", "invalid_value"),
    "long suffix": ({"suffix": "x" * 65}, "maximum length 64", "suffix", "string_above_max_length"),
    "seed of words": ({"seed": "seven"}, "expected an integer, but got a string", "seed", "invalid_type"),
    "seed below zero": ({"seed": -1}, ">= 0", "seed", "integer_below_min_value"),
    "17 keys": ({"metadata": {str(n): "x" for n in range(17)}}, "at most 16 properties", "metadata",
                "object_above_max_properties"),
    "a long key": ({"metadata": {"k" * 65: "x"}}, "at most 64", "metadata", "invalid_value"),
    "a number as metadata": ({"metadata": {"a": 1}}, "expected a string", "metadata.a", "invalid_type"),
    "unknown parameter": ({"extra_body": {"epochs": 3}}, "Unknown parameter: 'epochs'", "epochs", "unknown_parameter"),
}  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_a_malformed_job_is_refused_by_its_parameter(name: str, client: OpenAI, chats: str) -> None:
    said, message, param, code = JOBS[name]
    said = {key: chats if value == "SAME" else value for key, value in said.items()}
    error = refused(client.fine_tuning.jobs.create, **{"model": "tiny", "training_file": chats, **said})
    assert isinstance(error, BadRequestError)
    assert message in error.message
    assert (error.param, error.code) == (param, code)


def test_a_body_that_is_no_object_is_refused(address: str) -> None:
    half = b'{"model": "tiny", "training_file": "a", "metadata": {"a": "\\ud800"}}'
    for content in (b"", b"[]", b"{", b'"a"', b"\xff", b"[" * 100_000, b'{"seed": NaN}', half):
        response = httpx.post(f"{address}/fine_tuning/jobs", content=content)
        assert response.status_code == 400, content[:10]
        assert response.json()["error"]["message"]


def test_a_deleted_file_is_no_training_file(client: OpenAI) -> None:
    file = client.files.create(file=("a.jsonl", jsonl()), purpose="fine-tune").id
    client.files.delete(file)
    error = refused(client.fine_tuning.jobs.create, model="tiny", training_file=file)
    assert error.code == "invalid_file_id"


def test_what_is_not_there_is_a_404(client: OpenAI) -> None:
    jobs = client.fine_tuning.jobs
    for call in (jobs.retrieve, jobs.cancel, jobs.pause, jobs.resume, jobs.list_events, jobs.checkpoints.list):
        error = refused(call, fine_tuning_job_id="ftjob-none")
        assert isinstance(error, NotFoundError)
        assert error.code == "fine_tune_not_found"


def test_a_job_says_of_itself_what_was_asked_for(client: OpenAI, chats: str) -> None:
    job = client.fine_tuning.jobs.create(
        model="tiny", training_file=chats, suffix="mine", seed=5, metadata={"team": "a b"},
        integrations=[{"type": "wandb", "wandb": {"project": "p"}}],
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
    )  # fmt: skip
    assert (job.object, job.status, job.seed, job.metadata) == (
        "fine_tuning.job", "validating_files", 5, {"team": "a b"}
    )  # fmt: skip
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (2, "auto")
    assert job.fine_tuned_model is None
    assert job.integrations == []
    events = client.fine_tuning.jobs.list_events(job.id).data
    assert "nothing is sent from this machine" in events[0].message
    assert events[0].level == "warn"
    assert job.id in events[-1].message
    client.fine_tuning.jobs.cancel(job.id)


def test_the_older_hyperparameters_mean_the_same(client: OpenAI, chats: str) -> None:
    older = client.fine_tuning.jobs.create(model="tiny", training_file=chats, hyperparameters={"batch_size": 3})
    assert older.method is not None
    assert older.method.supervised is not None
    assert older.method.supervised.hyperparameters is not None
    assert older.method.supervised.hyperparameters.to_dict() == older.hyperparameters.to_dict()
    assert older.hyperparameters.batch_size == 3
    client.fine_tuning.jobs.cancel(older.id)


def test_jobs_are_found_by_their_metadata(client: OpenAI, chats: str) -> None:
    labels: list[dict[str, str] | None] = [{"team": "x", "n": "1"}, {"team": "x", "n": "2"}, None]
    made = [client.fine_tuning.jobs.create(model="tiny", training_file=chats, metadata=label).id for label in labels]
    jobs = client.fine_tuning.jobs
    assert [job.id for job in jobs.list(metadata={"team": "x"})] == made[1::-1]
    assert [job.id for job in jobs.list(metadata={"team": "x", "n": "1"})] == made[:1]
    assert [job.id for job in jobs.list(limit=1, extra_query={"metadata": "null"}).data] == made[2:]
    assert jobs.list(limit=1).has_more
    assert refused(jobs.list, metadata={str(n): "x" for n in range(17)}).code == "invalid_value"
    assert [job.id for job in jobs.list(limit=2)][:3] == made[::-1], "over the pages"
    for job in made:
        jobs.cancel(job)


def test_a_status_makes_only_the_moves_that_it_can(client: OpenAI, chats: str) -> None:
    job = client.fine_tuning.jobs.create(model="tiny", training_file=chats).id
    assert refused(client.fine_tuning.jobs.resume, fine_tuning_job_id=job).code == "invalid_status"
    cancelled = client.fine_tuning.jobs.cancel(job)
    assert cancelled.status == "cancelled"
    assert cancelled.finished_at is not None
    assert abs(cancelled.finished_at - time.time()) < 60
    for call in (client.fine_tuning.jobs.cancel, client.fine_tuning.jobs.pause, client.fine_tuning.jobs.resume):
        assert "its status is 'cancelled'" in refused(call, fine_tuning_job_id=job).message


@pytest.mark.parametrize(("limit", "code"), [("0", "below_min"), ("101", "above_max"), ("x", "invalid_type")])
def test_a_limit_has_limits(limit: str, code: str, address: str) -> None:
    response = httpx.get(f"{address}/fine_tuning/jobs", params={"limit": limit})
    assert response.status_code == 400
    assert code in response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("content", "method", "code", "param"),
    [
        (jsonl(count=9), "supervised", "invalid_n_examples", "training_file"),
        (jsonl(line=7, bad={"prompt": "a"}), "supervised", "invalid_training_file", "training_file"),
        (jsonl(pair), "supervised", "invalid_training_file", "training_file"),
        (jsonl(chat), "dpo", "invalid_training_file", "training_file"),
    ],
)
def test_a_job_whose_rows_are_wrong_fails_and_says_why(
    content: bytes, method: str, code: str, param: str, tmp_path: Path, tiny_folder: Path
) -> None:
    with tuning_server(tmp_path, tiny_folder) as address:
        client = OpenAI(base_url=address, api_key="any")
        file = client.files.create(file=("a.jsonl", content), purpose="fine-tune").id
        job = client.fine_tuning.jobs.create(model="tiny", training_file=file, method={"type": method})  # type: ignore[typeddict-item]
        while job.status == "validating_files":
            job = client.fine_tuning.jobs.retrieve(job.id)
        assert job.status == "failed"
        assert job.error is not None
        assert (job.error.code, job.error.param) == (code, param)
        event = client.fine_tuning.jobs.list_events(job.id).data[0]
        assert (event.level, event.message) == ("error", job.error.message)
