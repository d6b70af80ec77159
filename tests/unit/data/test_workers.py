import os
from collections.abc import Iterator

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
