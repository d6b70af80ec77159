from __future__ import annotations

from pathlib import Path

import pytest

from burnish.core.files import write_json
from burnish.server.tuning.conclude import conclude, said_at_the_end
from tests.unit.server.tuning.desks import job_at_desk

LOG = "run: x\nerror: Something else.\nerror: 10 rows are too few.\n  seen:  10 usable rows\n"


@pytest.mark.parametrize(
    ("status", "code", "starts", "stopping", "after"),
    [
        ("running", 3, 1, False, "failed"),
        ("running", 2, 1, False, "failed"),
        ("running", 1, 1, False, "failed"),
        ("running", 0, 1, False, "failed"),  # it ended well and did not finish: a failure of ours
        ("running", 75, 1, False, "paused"),  # the disk is full, or somebody stopped it
        ("running", 75, 1, True, "queued"),
        ("running", -15, 1, True, "queued"),
        ("running", None, 1, False, "queued"),
        ("running", -9, 1, False, "queued"),
        ("running", -9, 3, False, "failed"),
        ("pausing", 75, 1, False, "paused"),
        ("pausing", -15, 1, False, "paused"),
        ("pausing", None, 1, False, "paused"),
        ("pausing", 1, 1, False, "failed"),
        ("cancelled", 75, 1, False, "cancelled"),
        ("cancelled", None, 1, False, "cancelled"),
    ],
)
def test_how_a_run_ended_moves_its_job(
    status: str, code: int | None, starts: int, stopping: bool, after: str, tmp_path: Path
) -> None:
    with job_at_desk(tmp_path) as at:
        at.set(status=status, starts=starts, pid=1, born="then")
        (at.desk.folder(at.id) / "log.txt").write_text(LOG)
        conclude(at.desk, at.id, code, stopping=stopping)
        assert (at.job.status, at.job.pid, at.job.born) == (after, None, None)
        assert (at.job.finished_at is None) == (after not in ("failed",))
        assert (at.job.error is None) == (after != "failed")


def test_wrong_data_is_said_as_the_run_says_it(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        at.set(status="running")
        (at.desk.folder(at.id) / "log.txt").write_text(LOG)
        conclude(at.desk, at.id, 3)
        assert at.job.error == {
            "code": "invalid_training_file",
            "message": "The job failed due to an invalid training file. 10 rows are too few. seen: 10 usable rows",
            "param": "training_file",
        }
        assert at.events()[-1]["level"] == "error"


def test_a_run_that_was_whole_before_its_end_was_seen_has_succeeded(tmp_path: Path) -> None:
    """The server was killed after its child ended: the exit code is lost, the run is not."""
    with job_at_desk(tmp_path, suffix="mine") as at:
        at.set(status="running")
        at.run.create()
        write_json(at.run.stages, {"evaluate": {"finished": True}})
        at.run.metrics.write_text(
            '{"step": 1, "loss": 2.0, "accuracy": 0.5, "tokens": 30}\n'
            '{"step": 2, "loss": 1.0, "tokens": 31, "dev_loss": 3.0, "dev_accuracy": 0.25}\n'
        )
        write_json(at.run.training, {"steps": 2, "rows_per_update": 4, "rows": 8})
        verdict = {"task": {"outcome": "BETTER", "reason": "r", "metric": "correct", "n": 3},
                   "memory": {"outcome": "KEPT", "reason": "s"}}  # fmt: skip
        write_json(at.run.verdict_json, verdict)
        at.run.verdict_md.write_text("**BETTER. KEPT.**\nBy 5 points.\n\n## Further\n")
        conclude(at.desk, at.id, None)
        assert (at.job.status, at.job.trained_tokens) == ("succeeded", 61)
        assert at.published == [at.job.fine_tuned_model] == [f"ft:tiny:burnish:mine:{at.id[6:14]}"]
        assert at.job.verdict == {**verdict, "text": "BETTER. KEPT. By 5 points."}
        assert at.job.hyperparameters == {"n_epochs": 1, "batch_size": 4, "learning_rate_multiplier": 1.0}
        assert at.job.result_file is not None
        csv = at.desk.files.path(at.job.result_file).read_text()
        assert (
            csv == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.0,0.5,,\n2,1.0,,3.0,0.25\n"
        )


def test_a_run_whose_results_cannot_be_read_has_failed(tmp_path: Path) -> None:
    with job_at_desk(tmp_path) as at:
        at.set(status="running")
        at.run.create()
        write_json(at.run.stages, {"evaluate": {"finished": True}})
        at.run.metrics.write_text('{"step": 1')
        conclude(at.desk, at.id, 0)
        assert at.job.status == "failed"
        assert at.job.error is not None
        assert "cannot be read" in at.job.error["message"]
        assert not at.published


def test_of_a_log_without_an_error_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("all is well, no error: here\n")
    assert said_at_the_end(tmp_path / "log") == ""
    assert said_at_the_end(tmp_path / "none") == ""
