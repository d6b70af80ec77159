"""A script in the shape of OpenAI's guide, with another address: upload, create, look on, use, cancel another."""

from __future__ import annotations

import contextlib
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import NotFoundError, OpenAI

from burnish.pipeline.api import load
from burnish.server.app import create_app
from burnish.server.catalog import Catalog
from burnish.server.key import Key
from burnish.server.tuning.opening import open_tuning
from burnish.server.worker import Worker
from tests.tuning import QUICK, served

KEY = "a key of sixteen letters or more".replace(" ", "-")


@contextlib.contextmanager
def server(runs: Path, model: Path) -> Iterator[OpenAI]:
    """The whole server, as `burnish serve --tune` has it."""
    with contextlib.closing(Worker(capacity=8)) as worker:
        catalog = Catalog(worker, slots=4)

        def publish(name: str, folder: Path) -> None:
            catalog.add(name, folder)

        with (
            open_tuning(runs, {"gpt-tiny": str(model)}, publish, common=QUICK) as router,
            served(create_app(catalog, Key(KEY), routers=[router], log=lambda entry: None)) as address,
        ):
            yield OpenAI(base_url=address, api_key=KEY, max_retries=0)


def chats(first: int, count: int) -> bytes:
    rows = []
    for n in range(first, first + count):
        asked = {"role": "user", "content": f"which colour is parcel {n}?"}
        rows.append({"messages": [asked, {"role": "assistant", "content": "blue" if n % 2 else "green"}]})
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def say(client: OpenAI, model: str) -> str | None:
    question = {"role": "user", "content": "which colour is parcel 7?"}
    answer = client.chat.completions.create(model=model, messages=[question], temperature=0, max_tokens=8)  # type: ignore[list-item]
    return answer.choices[0].message.content


def test_a_script_of_the_guide_runs_with_another_address(tmp_path: Path, tiny_folder: Path) -> None:
    runs = tmp_path / "runs"
    with server(runs, tiny_folder) as client:
        training = client.files.create(file=("train.jsonl", chats(0, 60)), purpose="fine-tune")
        validation = client.files.create(file=("valid.jsonl", chats(100, 12)), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(
            model="gpt-tiny",
            training_file=training.id,
            validation_file=validation.id,
            suffix="Parcels 1",
            seed=1,
            method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2, "batch_size": "auto"}}},
        )
        other = client.fine_tuning.jobs.create(model="gpt-tiny", training_file=training.id)
        assert client.fine_tuning.jobs.cancel(other.id).status == "cancelled"
        statuses = []
        while job.status not in ("succeeded", "failed", "cancelled"):
            time.sleep(0.05)
            job = client.fine_tuning.jobs.retrieve(job.id)
            statuses += [job.status] if job.status not in statuses else []
        assert statuses[-2:] == ["running", "succeeded"], job.error

        assert job.fine_tuned_model == f"ft:gpt-tiny:burnish:parcels-1:{job.id[6:14]}"
        assert job.hyperparameters.batch_size == 4
        assert job.trained_tokens
        assert job.finished_at
        assert job.model_extra
        assert job.model_extra["verdict"]["task"]["outcome"] in ("BETTER", "NOT PROVEN", "WORSE")
        events = list(client.fine_tuning.jobs.list_events(job.id, limit=5))[::-1]
        assert events[0].message == f"Created fine-tuning job: {job.id}"
        assert events[-1].message == "The job has successfully completed"
        assert any(event.message.startswith("Verdict: ") for event in events)

        (result,) = job.result_files
        table = list(csv.DictReader(client.files.content(result).text.splitlines()))
        assert list(table[0]) == ["step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy"]
        assert len(table) == len([event for event in events if event.type == "metrics"])
        assert all(0 <= float(row["train_accuracy"]) <= 1 for row in table)
        assert 0 < float(table[-1]["valid_mean_token_accuracy"]) <= 1

        checkpoints = client.fine_tuning.jobs.checkpoints.list(job.id).data
        assert [one.step_number for one in checkpoints] == sorted((c.step_number for c in checkpoints), reverse=True)
        assert {str(one.metrics.valid_loss) for one in checkpoints} <= {row["valid_loss"] for row in table}
        said = say(client, job.fine_tuned_model)
        assert said == load(str(runs / job.id)).chat("which colour is parcel 7?", max_new_tokens=8)
        names = [job.fine_tuned_model, *(one.fine_tuned_model_checkpoint for one in checkpoints)]
        assert {*names} <= {model.id for model in client.models.list()}
        best = min(checkpoints, key=lambda one: one.metrics.valid_loss or 0)
        assert say(client, best.fine_tuned_model_checkpoint) == said
        with pytest.raises(NotFoundError):
            say(client, f"ft:gpt-tiny:burnish::{other.id[6:14]}")
    with server(runs, tiny_folder) as client:
        assert say(client, job.fine_tuned_model) == said, "after a restart, too"
        assert client.files.content(training.id).content == chats(0, 60)
