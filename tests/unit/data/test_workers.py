import os
from collections.abc import Iterator

import pytest

from burnish.core.errors import DataError
from burnish.data.workers import FEW, in_order


def squares(numbers: list[int]) -> list[int]:
    return [number * number for number in numbers]


def processes(numbers: list[int]) -> list[int]:
    return [os.getpid() for _ in numbers]


def test_answers_stand_in_the_order_of_the_work_however_many_workers() -> None:
    wanted = [number * number for number in range(105)]
    for workers in (1, 2, 3):
        assert list(in_order(squares, iter(range(105)), chunk=10, workers=workers)) == wanted


def test_little_work_stays_in_this_process() -> None:
    assert set(in_order(processes, range(FEW - 1), chunk=1, workers=2)) == {os.getpid()}


def test_work_is_taken_a_little_ahead_and_never_all_at_once() -> None:
    taken = 0

    def work() -> Iterator[int]:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield number

    next(in_order(squares, work(), chunk=10, workers=2))
    assert taken <= 10 * (FEW + 2 * 2 + 2)


def test_a_function_that_pickle_does_not_know_runs_in_other_processes() -> None:
    add = 3
    answers = list(in_order(lambda numbers: [(number + add, os.getpid()) for number in numbers],
                            range(50), chunk=2, workers=2))  # fmt: skip
    assert [answer for answer, _ in answers] == list(range(3, 53))
    assert os.getpid() not in {process for _, process in answers}


def test_an_error_in_another_process_arrives_with_all_that_it_says() -> None:
    def fails(numbers: list[int]) -> list[int]:
        raise DataError("No.", where="row 7", seen="8", next_move="look")

    with pytest.raises(DataError, match=r"(?s)row 7.*8.*look"):
        list(in_order(fails, range(50), chunk=2, workers=2))
