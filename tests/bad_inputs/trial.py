"""One case in a fork of this warm process: the command as a user gives it, watched from inside and from outside."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from burnish.cli.errors import report_error
from burnish.cli.main import main
from burnish.core.hardware import forget_peak, peak_resident_bytes, resident_bytes
from tests.bad_inputs.case import Case, Made, must

LONGEST = 30.0  # seconds after which a trial hangs
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.truncate", "os.chmod"}
NOWHERE = ("/dev/null", "/proc/self/clear_refs")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
CODE = {"os", "posix", "nt", "builtins", "subprocess", "shutil"}  # modules that a pickle would reach for
SECRET = "canary-4d7a9e2b"  # in the environment; nothing may show it
SECRETS = ("HF_TOKEN", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "BURNISH_API_KEY")


@dataclass(frozen=True)
class Outcome:
    """What a trial did. `code` is negative for a signal; bytes are growth over the warm process.

    `own_seconds` leaves out what the fork itself took. `touched` are writes outside the run folder and other
    things that a command has no business with.
    """

    code: int
    out: str
    err: str
    cpu_seconds: float
    own_seconds: float
    grown_bytes: int
    touched: tuple[str, ...]
    box: Path

    @property
    def run(self) -> Path:
        return self.box / "runs" / "r"


def try_case(case: Case, model: Path, box: Path, seed: int) -> tuple[Made, Outcome]:
    """Makes the files of a case in an empty folder and runs the command on them."""
    for name in ("data", "home", "runs", "here", "watch"):
        (box / name).mkdir(parents=True)
    if case.run:
        shutil.copytree(model.parent / "trained" / "r", box / "runs" / "r", symlinks=True)
    made = _made(case, box / "data", seed)
    before = _snapshot(box)
    pid = os.fork()
    if pid == 0:
        _child(made, model, box)
    code, cpu_seconds = _end_of(pid)
    report = _report(box)
    touched = {*report["touched"], *(f"left behind: {name}" for name in _snapshot(box) ^ before)}
    return made, Outcome(
        code=code,
        out=(box / "watch" / "out").read_text("utf-8", "backslashreplace"),
        err=(box / "watch" / "err").read_text("utf-8", "backslashreplace"),
        cpu_seconds=cpu_seconds,
        own_seconds=report["seconds"],
        grown_bytes=report["grown_bytes"],
        touched=tuple(sorted(touched)),
        box=box,
    )


def _made(case: Case, folder: Path, seed: int) -> Made:
    """Makes the files in a fork, too: polars starts threads, which no later fork would have."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def make() -> None:
        sender.send(case.make(folder, Random(f"{seed} {case.trap}")))

    process = multiprocessing.get_context("fork").Process(target=make)
    process.start()
    sender.close()
    must(receiver.poll(LONGEST), f"making the files takes too long: {case.trap}")
    made: Made = receiver.recv()
    process.join()
    return made


def _child(made: Made, model: Path, box: Path) -> None:
    os.setsid()
    code = 70
    try:
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(box / "watch" / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
        (box / "watch" / "in").write_text("Ticket 1\n")
        os.dup2(os.open(box / "watch" / "in", os.O_RDONLY), 0)
        sys.stdin = os.fdopen(0, closefd=False)
        os.chdir(box / "here")
        os.environ |= {"HOME": str(box / "home"), "BURNISH_CACHE": str(box / "home" / "cache")}
        os.environ["RUST_BACKTRACE"] = "0"
        os.environ |= {"TMPDIR": str(box / "home"), "COLUMNS": "100"}
        os.environ |= dict.fromkeys(SECRETS, SECRET)
        sys.argv = ["burnish", *_words(made, model, box)]
        forget_peak()
        held, started = resident_bytes(), time.process_time()
        touched = _watch(box, made.writes)
        code = _run(made)
        sys.stdout.flush()
        sys.stderr.flush()
        found = {"grown_bytes": peak_resident_bytes() - held, "seconds": time.process_time() - started,
                 "touched": list(touched)}  # fmt: skip
        (box / "watch" / "report.json").write_text(json.dumps(found))
    finally:
        os._exit(code)


def _words(made: Made, model: Path, box: Path) -> list[str]:
    """What stands behind `burnish` on the command line."""
    places = {"data": box / "data", "folder": box / "data", "model": model, "runs": box / "runs", "box": box}
    if made.command:
        return [_filled(word, places) for word in made.command]
    settings = [part for one in made.settings for part in ("--set", _filled(one, places))]
    return ["prepare", "--model", str(model), "--data", f"{box / 'data'}/{made.data}",
            "--out", str(box / "runs"), "--name", "r", *settings]  # fmt: skip


def _filled(word: str, places: dict[str, Path]) -> str:
    for name, path in places.items():
        word = word.replace(f"{{{name}}}", str(path))
    return word


def _run(made: Made) -> int:
    if made.call is not None:
        try:
            made.call()
        except BaseException as error:  # as the command line does
            return report_error(error)
        return 0
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def _watch(box: Path, writes: Sequence[str]) -> list[str]:
    """A list that fills with what this process and its forks should not do, as the interpreter announces it."""
    touched: list[str] = []
    allowed = tuple(f"{box / name}{end}" for name in (*writes, "watch") for end in ("/", ""))
    own_cache = str(box / "home" / "cache")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & WRITING
            # A temporary file without a name leaves nothing, wherever it lies.
            if not isinstance(path, str | bytes) or not writes or flags & os.O_TMPFILE == os.O_TMPFILE:
                return
        elif event in CHANGES:
            path = arguments[0]
            if arguments[-1] != -1 and event != "os.mkdir":  # relative to a folder that is open: seen from outside
                return
        elif event == "socket.connect":
            address = arguments[1]
            if not (isinstance(address, tuple) and address[0] in LOOPBACK):
                touched.append(f"{event} {address}")
            return
        elif event in ("subprocess.Popen", "os.system", "os.exec"):
            touched.append(f"{event} {arguments[:2]}")
            return
        elif event == "pickle.find_class" and str(arguments[0]).split(".")[0] in CODE:
            touched.append(f"{event} {arguments}")
            return
        else:
            return
        name = os.path.abspath(os.fsdecode(path)) if isinstance(path, str | bytes | os.PathLike) else ""
        # The cache holds what is unpacked while it is read; that nothing stays there is seen from outside.
        if name and not name.startswith((*allowed, own_cache)) and name not in NOWHERE:
            touched.append(f"{event} {name}")

    sys.addaudithook(hook)
    return touched


def _end_of(pid: int) -> tuple[int, float]:
    """Exit code and processor time of a child and its own children. What hangs is killed, with all it started."""
    until = time.monotonic() + LONGEST
    while True:
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            break
        if time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime


def _report(box: Path) -> dict[str, Any]:
    path = box / "watch" / "report.json"
    return json.loads(path.read_text()) if path.exists() else {"grown_bytes": 0, "seconds": 0.0, "touched": []}


def _snapshot(box: Path) -> set[tuple[str, int, int]]:
    """Name, size and time of all that lies in the box outside the run; the folder of runs itself may change."""
    return set(_files(box))


def _files(box: Path) -> Iterator[tuple[str, int, int]]:
    for inside, folders, names in os.walk(box):
        relative = os.path.relpath(inside, box)
        if relative.split(os.sep)[0] == "watch" or relative.startswith("runs"):
            continue
        for name in (*folders, *names):
            status = os.lstat(os.path.join(inside, name))
            is_folder = name in folders
            if os.path.join(relative, name) == os.path.join("home", "cache"):
                continue  # the cache itself may stay; what lies in it is seen
            yield (
                os.path.join(relative, name),
                0 if is_folder else status.st_size,
                0 if is_folder else status.st_mtime_ns,
            )


def clear(box: Path) -> None:
    """Removes what a trial left, files without permissions and of hundreds of megabytes among it."""
    shutil.rmtree(box)
