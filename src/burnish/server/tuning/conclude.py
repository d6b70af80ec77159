"""What the end of a child means for its job."""

from __future__ import annotations

from pathlib import Path

from burnish.core.errors import Stopped
from burnish.core.files import dump_json, read_jsonl
from burnish.pipeline.stages import finished
from burnish.server.tuning.desk import Desk
from burnish.server.tuning.events import add_event
from burnish.server.tuning.files import RESULTS
from burnish.server.tuning.ids import model_name, new_id
from burnish.server.tuning.jobs import Job, fail, get_job, move
from burnish.server.tuning.kept_checkpoints import Kept, kept_checkpoints, served_checkpoint
from burnish.server.tuning.recipe import LOG
from burnish.server.tuning.results import resolved, tokens_trained, verdict_of, write_csv

STARTS = 3  # how often a run that was killed is started again
MOST_MESSAGE = 2000  # characters


def conclude(desk: Desk, id: str, code: int | None, *, stopping: bool = False) -> None:
    """Moves the job on after its child ended with `code`; None where nobody saw how. `stopping`: so does the server."""
    desk.store.change("UPDATE jobs SET pid = NULL, born = NULL WHERE id = ?", (id,))
    job = get_job(desk.store, id)
    if job.status not in ("running", "pausing"):
        return  # cancelled
    why = said_at_the_end(desk.folder(id) / LOG)
    if finished(desk.run(id), desk.last_stage):
        _succeed_or_fail(desk, job)
    elif job.status == "pausing" and (code is None or code == 75 or code < 0):
        desk.store.change("UPDATE jobs SET starts = 0 WHERE id = ?", (id,))
        move(desk.store, id, ("pausing",), "paused", "Fine-tuning job paused")
    elif stopping and (code is None or code == 75 or code < 0):
        move(desk.store, id, ("running",), "queued", "The server ends; the job goes on when it is there again")
    elif code is None:
        move(desk.store, id, ("running",), "queued", "The server was away; the job goes on where it was")
    elif code == 75:
        move(desk.store, id, ("running",), "paused", f"Stopped, and can be resumed: {why}", level="warn")
    elif code < 0 and job.starts < STARTS:
        move(
            desk.store,
            id,
            ("running",),
            "queued",
            f"Ended by signal {-code}; the job goes on where it was",
            level="warn",
        )
    elif code < 0:
        fail(desk.store, id, "server_error",
             f"The training was ended by signal {-code} {job.starts} times, as it is for lack of memory.")  # fmt: skip
    elif code == 3:
        fail(
            desk.store,
            id,
            "invalid_training_file",
            f"The job failed due to an invalid training file. {why}",
            "training_file",
        )
    else:
        fail(desk.store, id, "invalid_request" if code == 2 else "server_error", why or f"exit code {code}")


def said_at_the_end(log: Path) -> str:
    """The error that the run printed last, in one line."""
    text = log.read_text("utf-8", "replace")[-20 * MOST_MESSAGE :] if log.exists() else ""
    _, found, error = f"\n{text}".rpartition("\nerror: ")
    return " ".join(error.split())[:MOST_MESSAGE] if found else ""


def _succeed_or_fail(desk: Desk, job: Job) -> None:
    """A full disk is for the runner to try again; a run whose results cannot be read stays so."""
    try:
        succeed(desk, job)
    except (Stopped, OSError):
        raise
    except Exception as error:
        fail(
            desk.store, job.id, "server_error", f"The results of the run cannot be read: {' '.join(str(error).split())}"
        )


def succeed(desk: Desk, job: Job) -> None:
    """Hands over what the run has made. The model answers before anybody reads that it is there."""
    run, store = desk.run(job.id), desk.store
    lines = read_jsonl(run.metrics)
    name = model_name(job.model, desk.organisation, job.suffix, job.id)
    csv = write_csv(lines, desk.files.folder / f".{job.id}.csv")
    kept = [(one, model_name(job.model, desk.organisation, job.suffix, job.id, one.step))
            for one in kept_checkpoints(run, lines)
            if served_checkpoint(run, one.step, checkpoint_folder(desk, job.id, one.step))]  # fmt: skip
    _publish(desk, job.id, [(name, run.path), *((n, checkpoint_folder(desk, job.id, k.step)) for k, n in kept)])
    with store.transaction():
        result = desk.files.add(csv, "step_metrics.csv", RESULTS)
        for one, checkpoint in kept:
            _add_checkpoint(desk, job.id, one, checkpoint)
        kind = job.method["type"]
        method = {"type": kind, kind: {"hyperparameters": resolved(job.hyperparameters, run)}}
        verdict = verdict_of(run)
        store.change(
            "UPDATE jobs SET fine_tuned_model = ?, trained_tokens = ?, result_file = ?, method = ?, verdict = ? "
            "WHERE id = ?",
            (name, tokens_trained(lines), result["id"], dump_json(method), dump_json(verdict), job.id),
        )
        add_event(store, job.id, f"New fine-tuned model created: {name}")
        add_event(store, job.id, f"Verdict: {verdict['text']}", data={"verdict": verdict})
        move(store, job.id, ("running", "pausing"), "succeeded", "The job has successfully completed")


def _add_checkpoint(desk: Desk, job: str, kept: Kept, name: str) -> None:
    changed = desk.store.change(
        "INSERT OR IGNORE INTO checkpoints (id, job, created_at, step, name, metrics) "
        "VALUES (?, ?, unixepoch(), ?, ?, ?)",
        (new_id("ftckpt"), job, kept.step, name, dump_json(kept.metrics)),
    )
    if changed:
        add_event(desk.store, job, f"Checkpoint created at step {kept.step} with fine-tuned model name: {name}")


def checkpoint_folder(desk: Desk, job: str, step: int) -> Path:
    return desk.folder(job) / "checkpoints" / f"{step:06d}"


def publish_again(desk: Desk) -> None:
    """At a start: every model that was made before answers again."""
    for row in desk.store.rows("SELECT id, fine_tuned_model FROM jobs WHERE status = 'succeeded' ORDER BY number"):
        steps = desk.store.rows("SELECT step, name FROM checkpoints WHERE job = ? ORDER BY number", (row["id"],))
        made = [(one["name"], checkpoint_folder(desk, row["id"], one["step"])) for one in steps]
        _publish(desk, row["id"], [(row["fine_tuned_model"], desk.run(row["id"]).path), *made])


def _publish(desk: Desk, job: str, models: list[tuple[str, Path]]) -> None:
    for name, folder in models:
        try:
            desk.publish(name, folder)
        except Exception as error:  # the job has its result all the same, and its owner is told
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            add_event(desk.store, job, f"{name} is not served: {what}", level="warn")
