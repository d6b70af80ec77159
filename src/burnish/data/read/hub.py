"""hf://datasets/OWNER/NAME[@revision][/path] → files in the hub's own cache, all of one commit.

A path may be a pattern; without one, the repository is taken as a folder. HF_ENDPOINT, HF_HUB_OFFLINE and the hub's
token hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from burnish.core.errors import DataError
from burnish.core.files import write_json
from burnish.core.panics import as_model_error
from burnish.data.read.choice import Chosen, choose, is_pattern
from burnish.model.bundled import cache_folder

PREFIX = "hf://"
ADDRESS = re.compile(
    r"hf://datasets/(?P<root>(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>refs/(?:convert|pr)/[\w.-]+|[^/]+))?)"
    r"(?:/(?P<path>.*))?"
)
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class HubFiles:
    """Paths on this machine in the order of `chosen.names`; `root` is the address of the repository."""

    root: str
    chosen: Chosen
    paths: tuple[Path, ...]
    note: str


class _NoConnection(DataError):  # noqa: N818 - named after what happened
    """The hub does not answer: what was fetched last time may serve."""


def fetch_from_hub(address: str, *, largest_bytes: float, say: Callable[[str], None]) -> HubFiles:
    """The files that an address names. Without a connection, those of last time serve, and that is noted.

    Raises DataError: no such repository or file, too large, or not to be had now.
    """
    match = ADDRESS.fullmatch(address)
    if not match:
        raise DataError(
            "This is not an address of a data set on the hub.",
            where=address,
            next_move="write hf://datasets/OWNER/NAME/path, with @revision after NAME if you like",
        )
    repo, path = match["repo"], (match["path"] or "").strip("/")
    revision = unquote(match["revision"]) if match["revision"] else None
    known = cache_folder() / "downloads" / f"hub-{hashlib.sha256(address.encode()).hexdigest()[:32]}.json"
    try:
        commit, chosen = _listed(address, repo, revision, path, largest_bytes)
        stale = False
    except _NoConnection:
        last_time = _last_time(known)
        if not last_time:
            raise
        (commit, chosen), stale = last_time, True
    say(f"fetching {len(chosen.names)} files of {address}")
    with as_model_error(lambda error: _hub_error(address, error)):
        paths = tuple(_file(repo, name, commit, only_cached=stale) for name in chosen.names)
    if not stale:
        write_json(known, {"commit": commit, "names": chosen.names, "texts": chosen.texts})
    note = f"commit {commit}" + ("; the hub could not be reached, so this is the copy of last time" if stale else "")
    return HubFiles(f"hf://datasets/{match['root']}", chosen, paths, note)


def _listed(address: str, repo: str, revision: str | None, path: str, largest_bytes: float) -> tuple[str, Chosen]:
    """The commit that the revision stands for, and which of its files are meant."""
    from huggingface_hub import HfApi

    with as_model_error(lambda error: _hub_error(address, error)):
        info = HfApi().dataset_info(repo, revision=revision, files_metadata=True, timeout=TIMEOUT_SECONDS)
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if path in sizes:
        chosen = Chosen((path,))
    else:
        chosen = choose(sizes, address, pattern=path if is_pattern(path) else f"{path}/**" if path else "**")
    size = sum(sizes[name] for name in chosen.names)
    if size > largest_bytes:
        raise DataError(
            "The data set is larger than a download may be.",
            where=address,
            seen=f"{size:,} bytes in {len(chosen.names)} files; the limit is {largest_bytes / 1e9:g} GB",
            next_move="name some of its files, or raise data.read.largest_download_gb",
        )
    return str(info.sha), chosen


def _file(repo: str, name: str, commit: str, *, only_cached: bool) -> Path:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(repo, name, repo_type="dataset", revision=commit, local_files_only=only_cached))


def _last_time(known: Path) -> tuple[str, Chosen] | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        value = json.loads(known.read_text("utf-8"))
        return value["commit"], Chosen(tuple(value["names"]), texts=value["texts"])
    return None


def _hub_error(address: str, error: BaseException) -> DataError:
    from huggingface_hub import errors

    first_line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    if isinstance(error, errors.GatedRepoError):
        what, next_move = (
            "This data set asks for its terms to be accepted first.",
            "accept them on its page, then run `hf auth login`",
        )
    elif isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        what, next_move = (
            "There is no such data set on the hub.",
            "check OWNER/NAME; a private one needs `hf auth login`",
        )
    elif isinstance(error, errors.RevisionNotFoundError):
        what, next_move = "The data set has no such revision.", "check what stands after @"
    else:
        return _NoConnection(
            "The hub cannot be reached, and this data is not on this machine.",
            where=address,
            seen=first_line,
            next_move="connect (or unset HF_HUB_OFFLINE) and run the same command again",
        )
    return DataError(what, where=address, seen=first_line, next_move=next_move)
