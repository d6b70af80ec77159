import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from burnish.core.asking import BATCH, Answer, Asked, Model, Writer, answers, key_of
from burnish.core.errors import DataError
from burnish.core.records import Message

MODEL = Model("small", sha256="abc")


def request(number: int) -> Asked:
    return Asked((Message("user", f"Say {number}."),), 20, 0.5, number)


class Speaker:
    """Answers with the seed, refuses seeds under zero, and fails at the request that it is told to."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.heard: list[int] = []
        self.fails_at = fails_at

    def __call__(self, asked: Sequence[Asked]) -> Iterator[Answer]:
        for one in asked:
            if one.seed == self.fails_at:
                raise DataError("Nobody answers.")
            self.heard.append(one.seed)
            yield Answer("", refused="too long") if one.seed < 0 else Answer(f"It is {one.seed}.", whole=one.seed != 3)


def test_answers_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    found = list(answers(map(request, range(BATCH + 3)), Writer(MODEL, Speaker()), tmp_path / "kept.jsonl"))
    assert [one.text for one in found] == [f"It is {number}." for number in range(BATCH + 3)]
    assert [number for number, one in enumerate(found) if not one.whole] == [3]


def test_the_same_run_again_asks_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "new folder" / "kept.jsonl"
    first, second = Speaker(), Speaker()
    before = list(answers(map(request, range(40)), Writer(MODEL, first), kept))
    assert list(answers(map(request, range(40)), Writer(MODEL, second), kept)) == before
    assert first.heard == list(range(40))
    assert second.heard == []


def test_interrupted_work_goes_on_where_it_stopped(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    with pytest.raises(DataError):
        list(answers(map(request, range(40)), Writer(MODEL, Speaker(fails_at=35)), kept))
    later = Speaker()
    assert len(list(answers(map(request, range(40)), Writer(MODEL, later), kept))) == 40
    assert later.heard == [35, 36, 37, 38, 39]


def test_a_torn_or_foreign_line_is_asked_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    list(answers(map(request, range(3)), Writer(MODEL, Speaker()), kept))
    lines = kept.read_bytes().splitlines()
    damaged = [lines[0], b'{"request": 3}', b"[" * 100_000, b"\xff\xfe", lines[1], lines[2][:-4]]
    kept.write_bytes(b"\n".join(damaged))
    again = Speaker()
    assert [one.text for one in answers(map(request, range(3)), Writer(MODEL, again), kept)][2] == "It is 2."
    assert again.heard == [2]
    assert json.loads(kept.read_bytes().splitlines()[-1])["text"] == "It is 2."


def test_another_model_seed_or_temperature_is_another_request() -> None:
    keys = {
        key_of(request(1), MODEL),
        key_of(request(2), MODEL),
        key_of(Asked(request(1).messages, 20, 0.6, 1), MODEL),
        key_of(request(1), Model("small", sha256="abd")),
        key_of(request(1), Model("small", address="http://127.0.0.1/v1")),
    }
    assert len(keys) == 5


def test_a_refused_request_is_passed_on_and_not_asked_again(tmp_path: Path) -> None:
    kept, again = tmp_path / "kept.jsonl", Speaker()
    found = list(answers([request(1), request(-1)], Writer(MODEL, Speaker()), kept))
    assert [one.refused for one in found] == ["", "too long"]
    assert list(answers([request(1), request(-1)], Writer(MODEL, again), kept)) == found
    assert not again.heard


def test_a_model_that_refuses_everything_is_an_error_and_is_asked_again(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(DataError, match="none of the requests") as refused:
            list(answers([request(-1), request(-2)], Writer(MODEL, Speaker()), tmp_path / "kept.jsonl"))
        assert refused.value.seen == "too long"
