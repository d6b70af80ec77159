import random

from burnish.core.records import Pair, Row, Text
from burnish.data.grow.documents import Passage
from burnish.data.grow.plan import TRIES, Task, tasks
from burnish.data.grow.settings import GrowSettings
from tests.serving import chat

ROWS: list[Row] = [chat(f"Question {n}?", f"Answer {n}.", n) for n in range(30)]
PASSAGES = [Passage(f"Text {n}", f"notes.md:{n}", "g") for n in range(10)]


def names(found: list[Task]) -> list[tuple[str, str, int]]:
    return [(task.kind, task.origin.source, task.number) for task in found]


def test_every_row_is_tried_once_before_one_is_tried_again() -> None:
    found = tasks(ROWS, [], GrowSettings(model="m", paraphrase=2), seed=0)
    assert len(found) == 60
    assert [task.number for task in found] == [0] * 30 + [1] * 30
    assert {task.origin.id for task in found[:30] if not isinstance(task.origin, Passage)} == {row.id for row in ROWS}


def test_the_order_depends_on_the_seed_and_not_on_the_file() -> None:
    settings = GrowSettings(model="m", paraphrase=1, questions=2, rewrite="Be brief.", most=5)
    shuffled, turned = list(ROWS), PASSAGES[::-1]
    random.Random(0).shuffle(shuffled)
    first = names(tasks(ROWS, PASSAGES, settings, seed=0))
    assert names(tasks(shuffled, turned, settings, seed=0)) == first
    assert names(tasks(ROWS, PASSAGES, settings, seed=1)) != first
    assert len(first) == TRIES * 5


def test_a_smaller_bound_tries_the_first_of_the_larger_one() -> None:
    large = tasks(ROWS, [], GrowSettings(model="m", rewrite="x", most=8), seed=3)
    small = tasks(ROWS, [], GrowSettings(model="m", rewrite="x", most=4), seed=3)
    assert names(large)[: len(small)] == names(small)


def test_kinds_take_turns() -> None:
    settings = GrowSettings(model="m", paraphrase=1, questions=1, most=10)
    kinds = [task.kind for task in tasks(ROWS, PASSAGES, settings, seed=0)]
    # 30 rows and 10 passages: a quarter of any stretch are questions
    assert kinds[:8].count("question") == 2
    assert len(kinds) == 30


def test_rows_that_do_not_fit_are_not_tried() -> None:
    rows: list[Row] = [Text("t", "plain"), Pair("p", ROWS[0].prompt, "a", "b")]  # type: ignore[union-attr]
    settings = GrowSettings(model="m", paraphrase=1, rewrite="x")
    assert names(tasks(rows, [], settings, seed=0)) == [("paraphrase", "", 0)]
    assert tasks(rows, PASSAGES, GrowSettings(model="m", rewrite="x"), seed=0) == []


def test_each_try_has_a_seed_of_its_own_of_31_bits() -> None:
    found = tasks(ROWS, PASSAGES, GrowSettings(model="m", paraphrase=3, questions=1, rewrite="x"), seed=0)
    seeds = [task.seed(0) for task in found]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert [task.seed(1) for task in found] != seeds
