"""The arena over HTTP: who may ask, what a page may know, votes that count once."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from burnish.core.errors import BurnishError
from burnish.evals.arena.ballots import Ballots
from burnish.evals.arena.matches import Match
from burnish.server.arena_page import arena_page
from burnish.server.arena_server import open_arena
from burnish.server.own_host import is_own_host


def matches(n: int) -> list[Match]:
    return [
        Match(f"m{k}", f"t{k}", "base", f"prompt {k}", f"<b>ours {k}</b>", f"theirs {k}", f"hash{k}", k % 2 == 0)
        for k in range(n)
    ]


@dataclass(frozen=True)
class Arena:
    """A running arena, its votes, and requests to it."""

    address: str
    ballots: Ballots

    def ask(
        self, what: str, body: Any = None, *, method: str = "POST", host: str = "", token: str | None = None,
        kind: str = "application/json",
    ) -> tuple[int, Any]:  # fmt: skip
        parts = urlsplit(self.address)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        headers = {"Host": host or parts.netloc, "Content-Type": kind}
        path = f"/{parts.path.strip('/') if token is None else token}/{what}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, content if method == "POST" else None, headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        is_json = response.headers["Content-Type"].startswith("application/json")
        return response.status, json.loads(text) if is_json else (text, response.headers)

    def vote(self, voter: str, match: str, choice: str) -> tuple[int, Any]:
        return self.ask("vote", {"voter": voter, "match": match, "choice": choice})


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    with (
        Ballots(tmp_path / "arena.sqlite") as ballots,
        open_arena(matches(4), ballots, host="127.0.0.1", port=0) as address,
    ):
        yield Arena(address, ballots)


def test_without_the_token_nothing_is_told(arena: Arena) -> None:
    for method in ("GET", "POST"):
        for token in ("", "x", arena.address.split("/")[3][:-1], "%00", "é"[:0] + "..", "x" * 3000):
            status, said = arena.ask("", {}, method=method, token=token)
            assert status == 403, (method, token)
            assert "prompt" not in json.dumps(said)
    assert arena.ask("next", {"voter": "ada"}, token="wrong")[0] == 403


def test_another_host_is_refused_even_with_the_token(arena: Arena) -> None:
    port = urlsplit(arena.address).port
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", "127.0.0.1", "127.0.0.1:1"):
        assert arena.ask("next", {"voter": "ada"}, host=host)[0] == 403, host
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert arena.ask("next", {"voter": "ada"}, host=host)[0] == 200, host


def test_only_numbers_localhost_and_the_name_given_are_own_hosts() -> None:
    assert is_own_host("my-box:80", ("my-box",), 80)
    assert is_own_host("my-box", ("my-box",), 80)
    assert not is_own_host("my-box@evil:80", ("my-box",), 80)
    assert not is_own_host("my-box:99999", ("my-box",), 80)
    assert not is_own_host("", ("",), 80) or not is_own_host("evil", ("",), 80)


def test_the_page_is_self_contained_and_its_policy_allows_its_own_script_and_style_alone(arena: Arena) -> None:
    status, (html, headers) = arena.ask("", method="GET")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.S)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.findall(r"(?:src|href)=|https?://|innerHTML|insertAdjacent|document\.write", html)
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert arena_page().html.decode() == html


def test_a_state_never_tells_whose_answer_is_whose(arena: Arena) -> None:
    for _ in range(4):
        _, state = arena.ask("next", {"voter": "ada"})
        assert set(state) == {"voted", "total", "enough", "done", "match", "prompt", "left", "right"}
        assert {state["left"], state["right"]} & {f"theirs {state['match'][1]}"}
        arena.vote("ada", state["match"], "left")
    assert arena.ask("next", {"voter": "ada"})[1] == {"voted": 4, "total": 4, "enough": True, "done": True}


def test_left_and_right_are_whose_they_are(arena: Arena) -> None:
    """Even items show the specialist on the left."""
    arena.vote("ada", "m0", "left")
    arena.vote("ada", "m1", "left")
    arena.vote("ada", "m2", "right")
    arena.vote("ada", "m3", "tie")
    choices = {vote.item: (vote.choice, vote.specialist_side) for vote in arena.ballots.votes()}
    assert choices == {
        "t0": ("specialist", "left"), "t1": ("opponent", "right"), "t2": ("opponent", "left"), "t3": ("tie", "right"),
    }  # fmt: skip


def test_a_vote_sent_twice_counts_once_and_the_first_stands(arena: Arena) -> None:
    assert arena.vote("ada", "m0", "left")[0] == 200
    status, state = arena.vote("ada", "m0", "right")
    assert status == 409
    assert state["voted"] == 1
    assert [vote.choice for vote in arena.ballots.votes()] == ["specialist"]


def test_undo_shows_the_same_pair_again(arena: Arena) -> None:
    arena.vote("ada", "m0", "left")
    arena.vote("ada", "m2", "left")
    _, state = arena.ask("undo", {"voter": "ada"})
    assert (state["match"], state["voted"]) == ("m2", 1)
    assert arena.vote("ada", "m2", "right")[0] == 200
    assert [vote.choice for vote in arena.ballots.votes()] == ["specialist", "opponent"]


def test_two_voters_vote_apart_and_first_see_what_nobody_has_judged(arena: Arena) -> None:
    arena.vote("ada", "m0", "left")
    _, state = arena.ask("next", {"voter": "bob"})
    assert (state["match"], state["voted"]) == ("m1", 0)
    assert arena.vote("bob", "m0", "right")[0] == 200
    assert [vote.voter for vote in arena.ballots.votes()] == ["ada", "bob"]


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("vote", {"voter": "ada", "match": "m0", "choice": "specialist"}, 400),
        ("vote", {"voter": "ada", "match": "m9", "choice": "left"}, 400),
        ("vote", {"voter": "ada", "match": ["m0"], "choice": "left"}, 400),
        ("vote", {"match": "m0", "choice": "left"}, 400),
        ("next", {"voter": "  "}, 400),
        ("next", {"voter": "x" * 41}, 400),
        ("next", {"voter": "a\u202eb"}, 400),
        ("next", b"[1]", 400),
        ("next", b"{", 400),
        ("next", b"[" * 4000, 400),
        ("next", b'{"voter": "' + b"x" * 5000 + b'"}', 400),
        ("../../etc/passwd", {"voter": "ada"}, 404),
    ],
)
def test_anything_else_is_refused(arena: Arena, what: str, body: Any, status: int) -> None:
    assert arena.ask(what, body)[0] == status
    assert arena.ballots.votes() == []


def test_a_form_of_another_page_cannot_vote(arena: Arena) -> None:
    body = {"voter": "ada", "match": "m0", "choice": "left"}
    assert arena.ask("vote", body, kind="text/plain")[0] == 400


def test_a_taken_port_is_said(arena: Arena, tmp_path: Path) -> None:
    port = urlsplit(arena.address).port or 0
    with (
        Ballots(tmp_path / "other.sqlite") as ballots,
        pytest.raises(BurnishError, match="cannot be opened"),
        open_arena(matches(1), ballots, host="127.0.0.1", port=port),
    ):
        pass
