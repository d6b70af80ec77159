"""The thread that moves jobs on: checks their files, starts one child at a time, follows it, and says how it ended."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from burnish.core.errors import BurnishError
from burnish.model.resolve import resolve
from burnish.server.tuning.check_examples import BadExamples, check_examples
from burnish.server.tuning.child import Child, exit_code, is_at_work, send, start_child
from burnish.server.tuning.conclude import conclude, publish_again
from burnish.server.tuning.desk import Desk
from burnish.server.tuning.events import add_event
from burnish.server.tuning.follow import Follower
from burnish.server.tuning.jobs import Job, fail, get_job, jobs_in, move, read_job
from burnish.server.tuning.recipe import DEV, LOG, TRAIN, write_job_recipe
from burnish.server.tuning.room import lack, never, room_needed

VERBS = {"evaluate": "evaluate", "export": "run"}  # what does all stages up to one
TICK = 0.25  # seconds between two looks
AFTER_FAILURE = 5.0  # seconds until what failed is tried again
GRACE = 30.0  # seconds that a child has to save after it was asked to stop
WAIT_FOR_ROOM = 15.0  # seconds until disk and memory are looked at again


@dataclass
class _AtWork:
    """A job, its child, how far its logs were read, and when the child was asked to stop."""

    job: str
    child: Child
    follower: Follower
    asked: float | None = None


class Runner:
    """All of it happens in one thread; `desk.changed` wakes it early."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._at_work: _AtWork | None = None
        self._found: list[_AtWork] = []  # of the server before
        self._stopping = threading.Event()
        self._no_room_until, self._told = 0.0, set[str]()

    def work(self) -> None:
        """Until `stop`. What fails here (a full disk, say) is noted and tried again; it does not end the thread."""
        while not self._stopping.is_set():
            pause = TICK
            try:
                self._tick()
            except Exception as error:
                self._note(error)
                pause = AFTER_FAILURE
            self._desk.changed.wait(pause)
            self._desk.changed.clear()

    def stop(self) -> None:
        """Asks the thread to end."""
        self._stopping.set()
        self._desk.changed.set()

    def find_again(self) -> None:
        """At a start: children that outlived the server before are followed on, and ended ones come to their end."""
        rows = self._desk.store.rows("SELECT * FROM jobs WHERE status IN ('running', 'pausing') OR pid IS NOT NULL")
        for job in map(read_job, rows):
            child = Child(self._desk.folder(job.id), job.pid, job.born)
            self._found.append(_AtWork(job.id, child, self._follower(job.id)))

    def let_go(self) -> None:
        """At the end of the server: the child saves and ends, and its job waits in the queue for the next start."""
        if (at_work := self._at_work or next(iter(self._found), None)) is None:
            return
        send(at_work.child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while is_at_work(at_work.child) and time.monotonic() < deadline:
            time.sleep(0.05)
        send(at_work.child, signal.SIGKILL)
        at_work.follower.take_in()
        conclude(self._desk, at_work.job, exit_code(at_work.child), stopping=True)

    def _tick(self) -> None:
        self._desk.files.expire()
        for job in jobs_in(self._desk.store, "validating_files"):
            self._validate(job)
        if self._at_work is None and self._found:
            self._at_work = self._found.pop(0)
        if self._at_work is not None:
            self._watch(self._at_work)
        elif not self._stopping.is_set():
            self._start_next()

    def _validate(self, job: Job) -> None:
        folder, method = self._desk.folder(job.id), job.method["type"]
        try:
            check_examples(folder / TRAIN, method)
            if job.validation_file:
                check_examples(folder / DEV, method, "validation")
        except OSError as error:
            fail(self._desk.store, job.id, "server_error", f"The job's data cannot be read: {error.strerror}")
            return
        except BadExamples as error:
            param = "validation_file" if error.code == "invalid_validation_file" else "training_file"
            fail(self._desk.store, job.id, error.code, str(error), param)
            return
        move(self._desk.store, job.id, ("validating_files",), "queued", "Files validated, moving job to queued state")

    def _start_next(self) -> None:
        if time.monotonic() < self._no_room_until:
            return
        for job in jobs_in(self._desk.store, "queued")[:1]:
            try:
                if self._has_room(job):
                    self._start(job)
            except BurnishError as error:
                fail(self._desk.store, job.id, "server_error", " ".join(str(error).split()))

    def _has_room(self, job: Job) -> bool:
        """Whether it can start now. What this machine can never do fails, the rest waits."""
        folder = self._desk.folder(job.id)
        data = sum((folder / name).stat().st_size for name in (TRAIN, DEV) if (folder / name).exists())
        room = room_needed(data, resolve(self._desk.bases[job.model]))
        missing = lack(room, folder)
        if missing and never(room):
            raise BurnishError(f"This machine has too little memory for {job.model}.", seen=missing)
        if missing:
            self._no_room_until = time.monotonic() + WAIT_FOR_ROOM
            if job.id not in self._told:
                self._told.add(job.id)
                add_event(self._desk.store, job.id, f"Waiting for room: {missing}", level="warn")
        return not missing

    def _start(self, job: Job) -> None:
        desk, folder = self._desk, self._desk.folder(job.id)
        recipe = write_job_recipe(job, desk.bases[job.model], folder, desk.common)
        text = "Fine-tuning job started" if not desk.run(job.id).events.exists() else "Fine-tuning job goes on"
        if not move(desk.store, job.id, ("queued",), "running", text):
            return  # cancelled or paused in between
        desk.store.change("UPDATE jobs SET starts = starts + 1 WHERE id = ?", (job.id,))
        child = start_child([VERBS[desk.last_stage], str(recipe), "--out", str(desk.runs)], folder, folder / LOG)
        desk.store.change("UPDATE jobs SET pid = ?, born = ? WHERE id = ?", (child.pid, child.born, job.id))
        self._at_work = _AtWork(job.id, child, self._follower(job.id))

    def _follower(self, job: str) -> Follower:
        return Follower(self._desk.store, job, self._desk.run(job))

    def _watch(self, at_work: _AtWork) -> None:
        ended = not is_at_work(at_work.child)  # before the logs are read: nothing comes after
        at_work.follower.take_in()
        if ended:
            conclude(self._desk, at_work.job, exit_code(at_work.child))
            self._at_work = None
        elif get_job(self._desk.store, at_work.job).status != "running":
            if at_work.asked is None:
                at_work.asked = time.monotonic()
                send(at_work.child, signal.SIGTERM)
            elif time.monotonic() - at_work.asked > GRACE:
                send(at_work.child, signal.SIGKILL)

    def _note(self, error: Exception) -> None:
        """On the server's own log; the next look may do better."""
        sys.stderr.write(f"fine-tuning: {type(error).__name__}: {' '.join(str(error).split())[:500]}\n")


@contextlib.contextmanager
def running(desk: Desk) -> Iterator[None]:
    """Moves the desk's jobs on for as long as the block lasts. On leaving no child is left."""
    publish_again(desk)
    runner = Runner(desk)
    runner.find_again()
    thread = threading.Thread(target=runner.work, name="fine-tuning", daemon=True)
    thread.start()
    try:
        yield
    finally:
        runner.stop()
        thread.join()
        runner.let_go()
