from dataclasses import replace

import pytest

from burnish.core.errors import DataError
from burnish.core.records import Item
from burnish.evals.between_runs import RunAnswers, compare_answers, differing_settings
from burnish.evals.verdict_plan import Plan, SuitePlan, TaskPlan

PLAN = Plan(("base",), TaskPlan("correct", "label"), (SuitePlan("text", "loss", higher_is_better=False),))


def answers(name: str, right: str, *, losses: str = "", prompt: str = "q", metric: str = "correct") -> RunAnswers:
    """A run whose item n is right where `right` holds a 1 at n; `losses` are those of the suite text, in tenths."""
    task = [Item("task", str(n), "tuned", f"{prompt}{n}", "yes", "", {metric: float(mark)})
            for n, mark in enumerate(right)]  # fmt: skip
    text = [Item("text", str(n), "tuned", f"t{n}", None, "", {"loss": int(mark) / 10}) for n, mark in enumerate(losses)]
    return RunAnswers(name, PLAN, (*task, *text))


def test_runs_are_compared_item_by_item() -> None:
    # 20 items; the first run has 15 right, the second 5 of the same: won 10, lost 0; McNemar: 2 · 0.5¹⁰ = 0.00195
    (task,) = compare_answers([answers("one", "1" * 15 + "0" * 5), answers("two", "1" * 5 + "0" * 15)])
    (one,) = task.comparisons
    assert (one.opponent, one.won, one.lost, one.n, one.delta) == ("two", 10, 0, 20, 0.5)
    assert one.p == pytest.approx(2 * 0.5**10)
    assert task.means["two"].mean == 0.25


def test_several_runs_share_one_level_of_error() -> None:
    runs = [answers("one", "1" * 12), answers("two", "0" * 12), answers("three", "0" * 11 + "1")]
    (task,) = compare_answers(runs)
    # Holm: the smaller p, 2 · 0.5¹² of 12 lost, is doubled; the other, 2 · 0.5¹¹, stays
    assert [one.p_holm for one in task.comparisons] == pytest.approx([4 * 0.5**12, 2 * 0.5**11])


def test_only_items_that_all_were_asked_alike_count() -> None:
    longer = answers("two", "1" * 15)
    (task,) = compare_answers([answers("one", "1" * 10), longer])
    assert (task.n, task.left_out) == (10, 5)
    with pytest.raises(DataError, match="no item of the task in common"):
        compare_answers([answers("one", "1" * 10), answers("two", "1" * 10, prompt="another ")])


def test_a_lower_loss_is_better() -> None:
    runs = [answers("one", "11", losses="11112"), answers("two", "11", losses="33335")]
    _, text = compare_answers(runs)
    assert text.suite == "text"
    assert text.comparisons[0].delta == pytest.approx((4 * 0.2 + 0.3) / 5)


def test_a_suite_that_one_run_was_not_asked_is_left_out() -> None:
    found = compare_answers([answers("one", "11", losses="11"), answers("two", "10")])
    assert [one.suite for one in found] == ["task"]


def test_runs_that_are_graded_otherwise_are_refused() -> None:
    with pytest.raises(DataError, match=r"(?s)two is not graded .* no score `correct`"):
        compare_answers([answers("one", "11"), answers("two", "11", metric="chrf")])
    one, two = (
        replace(run, plan=replace(PLAN, task=replace(PLAN.task, settings={"type": "number", "tolerance": tolerance})))
        for run, tolerance in ((answers("one", "11"), 0.0), (answers("two", "11"), 0.1))
    )
    with pytest.raises(DataError, match="two is not graded as the first is"):
        compare_answers([one, two])


def test_only_settings_that_differ_are_listed() -> None:
    recipes = {"one": {"train.seed": 0, "adapt.rank": 16}, "two": {"train.seed": 0, "adapt.rank": 8, "data.rows": 9}}
    assert differing_settings(recipes) == {
        "adapt.rank": {"one": 16, "two": 8},
        "data.rows": {"one": None, "two": 9},
    }
