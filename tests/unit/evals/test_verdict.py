import dataclasses
import json
import random

import numpy as np
import pytest

from burnish.core.errors import BurnishError, DataError, GateError, RecipeError
from burnish.core.records import Item
from burnish.evals.margins import DEFAULT_MARGINS, margin_for
from burnish.evals.statistics import macro_f1, paired_difference
from burnish.evals.verdict import gate, judge, judge_folder, parse_gate
from burnish.evals.verdict_records import Verdict
from burnish.evals.verdict_text import write_verdict

TASK_ONLY = {
    "specialist": "tuned",
    "opponents": ["base", "prompted"],
    "task": {"metric": "correct", "shape": "label"},
    "suites": [],
}


def answers(suite, metric, **arms):
    """Items of one suite from a list of scores per arm."""
    return [
        Item(suite, f"i{place:03d}", arm, "p", "e", "o", {metric: float(score)})
        for arm, scores in arms.items()
        for place, score in enumerate(scores)
    ]


def suite_plan(name, metric, *, higher=True, margin=None, chance=None):
    return {"name": name, "metric": metric, "higher_is_better": higher, "margin": margin, "chance": chance}


def memory_of(items, *suites):
    task = answers("task", "correct", base=[0, 1], prompted=[0, 1], tuned=[0, 1])
    return judge(task + items, {**TASK_ONLY, "suites": list(suites)}).memory


# --- The task ---------------------------------------------------------------------------------------------------------


def test_better_needs_every_opponent():
    # 12 wins and no loss against both: 2/2^12 is far below 5 %. Against an equal opponent nothing is shown.
    won = answers("task", "correct", base=[0] * 12 + [1] * 8, prompted=[0] * 12 + [1] * 8, tuned=[1] * 20)
    assert judge(won, TASK_ONLY).task.outcome == "BETTER"
    half = answers("task", "correct", base=[0] * 12 + [1] * 8, prompted=[1] * 20, tuned=[1] * 20)
    assert judge(half, TASK_ONLY).task.outcome == "NOT PROVEN"
    assert "prompted" in judge(half, TASK_ONLY).task.reason


def test_worse_needs_one_opponent():
    items = answers("task", "correct", base=[0] * 20, prompted=[1] * 20, tuned=[0] * 12 + [1] * 8)
    assert judge(items, TASK_ONLY).task.outcome == "WORSE"


def test_worse_is_held_to_holms_level():
    # 6 losses and no win: p = 2/2^6 = 0.031, below 5 % alone, above it with a second opponent that shows nothing.
    tuned, prompted = [0] * 6 + [1] * 14, [1] * 20
    two = answers("task", "correct", base=tuned, prompted=prompted, tuned=tuned)
    assert judge(two, TASK_ONLY).task.outcome == "NOT PROVEN"
    one = answers("task", "correct", prompted=prompted, tuned=tuned)
    assert judge(one, {**TASK_ONLY, "opponents": ["prompted"]}).task.outcome == "WORSE"


def test_a_comparison_holds_the_counts_and_the_estimate(invented_items, plan):
    task = judge(invented_items, plan, seed=7).task
    ours = [item.scores["correct"] for item in invented_items if item.arm == "tuned" and item.suite == "task"]
    theirs = [item.scores["correct"] for item in invented_items if item.arm == "prompted" and item.suite == "task"]
    comparison = task.comparisons[1]
    assert comparison.opponent == "prompted"
    assert comparison.delta == pytest.approx(paired_difference(ours, theirs).delta, rel=1e-9)
    assert comparison.won == sum(a > b for a, b in zip(ours, theirs, strict=True))
    assert comparison.lost == sum(a < b for a, b in zip(ours, theirs, strict=True))
    assert comparison.p_holm >= comparison.p


def test_all_metrics_of_a_label_task_are_there(invented_items, plan):
    arms = judge(invented_items, plan, seed=7).task.arms
    assert [arm.arm for arm in arms] == ["base", "prompted", "tuned"]
    assert set(arms[0].metrics) == {"accuracy", "macro_f1"}
    chosen = [item for item in invented_items if item.arm == "tuned" and item.suite == "task"]
    wanted = macro_f1([item.output for item in chosen], [item.expected for item in chosen]).mean
    assert arms[2].metrics["macro_f1"].mean == pytest.approx(wanted, rel=1e-9)


def test_a_metric_of_which_less_is_better_turns_round():
    items = answers(
        "task", "loss", base=np.linspace(2, 3, 20), prompted=np.linspace(2, 3, 20), tuned=np.linspace(1, 2, 20)
    )
    less = {**TASK_ONLY, "task": {"metric": "loss", "shape": "text", "higher_is_better": False}}
    assert judge(items, less).task.outcome == "BETTER"
    assert judge(items, less).task.comparisons[0].delta == pytest.approx(1.0)


# --- Memory -----------------------------------------------------------------------------------------------------------


def test_memory_is_kept_when_the_loss_is_shown_to_be_small(invented_items, plan):
    memory = judge(invented_items, plan, seed=7).memory
    assert memory.outcome == "KEPT"
    assert [suite.outcome for suite in memory.suites] == ["KEPT"] * 3
    assert all(suite.low > -suite.margin and suite.p_kept < 0.05 for suite in memory.suites)


def test_memory_is_forgotten_when_one_loss_exceeds_its_margin(task_items, memory_items, plan):
    rng = np.random.default_rng(4)
    memory = judge(
        task_items(rng, 20, {"base": 0.5, "prompted": 0.5, "tuned": 0.5}) + memory_items(rng, drift=2.0), plan
    )
    outcomes = {suite.suite: suite.outcome for suite in memory.memory.suites}
    assert memory.memory.outcome == "FORGOTTEN"
    assert outcomes == {"knowledge": "FORGOTTEN", "instructions": "KEPT", "general_text": "FORGOTTEN"}


def test_a_loss_near_its_margin_is_not_proven():
    base = np.random.default_rng(0).normal(3, 0.2, 40)
    tuned = base + np.random.default_rng(1).normal(0.1, 0.1, 40)  # the margin is 0.1
    memory = memory_of(answers("text", "loss", base=base, tuned=tuned), suite_plan("text", "loss", higher=False))
    assert memory.outcome == "NOT PROVEN"
    assert memory.suites[0].delta == pytest.approx(-(tuned - base).mean(), rel=1e-9)


def test_the_same_model_keeps_everything():
    base = np.random.default_rng(0).normal(3, 0.2, 40)
    memory = memory_of(answers("text", "loss", base=base, tuned=base), suite_plan("text", "loss", higher=False))
    assert memory.outcome == "KEPT"
    assert memory.suites[0].delta == 0.0


def test_a_suite_at_chance_cannot_show_forgetting():
    # 13 of 50 right with four choices is chance: the suite does not count, and no other is left.
    items = [
        Item(
            "quiz", f"q{place}", arm, "p", "e", "", {"logprob_margin": -1.0 - place / 50, "correct": float(place < 13)}
        )
        for arm in ("base", "tuned")
        for place in range(50)
    ]
    memory = memory_of(items, suite_plan("quiz", "logprob_margin", chance=0.25))
    assert memory.suites[0].outcome == "CANNOT SHOW"
    assert "cannot show forgetting" in memory.suites[0].reason
    assert memory.outcome == "NOT PROVEN"


def test_a_base_with_less_to_lose_than_the_margin_cannot_show_forgetting():
    # 4 of 100 instructions followed, the margin is 5 points: even losing all would be within it.
    base = [1] * 4 + [0] * 96
    items = answers("inst", "followed", base=base, tuned=[0] * 100)
    assert memory_of(items, suite_plan("inst", "followed")).suites[0].outcome == "CANNOT SHOW"


def test_a_suite_that_cannot_show_does_not_stop_the_others():
    weak = answers("weak", "followed", base=[0] * 100, tuned=[0] * 100)
    loss = np.random.default_rng(0).normal(3, 0.2, 40)
    good = answers("text", "loss", base=loss, tuned=loss)
    memory = memory_of(weak + good, suite_plan("weak", "followed"), suite_plan("text", "loss", higher=False))
    assert [suite.outcome for suite in memory.suites] == ["CANNOT SHOW", "KEPT"]
    assert memory.outcome == "KEPT"


def test_forgetting_is_held_to_holms_level_over_the_suites_that_count():
    # One suite loses its margin and a bit more (p about 0.03); beside a suite that shows nothing it needs 0.025.
    rng = np.random.default_rng(8)
    base = rng.normal(3, 0.2, 40)
    noise = rng.normal(0, 0.1, 40)
    worse = base + 0.1 + (noise - noise.mean()) + 0.031
    lossy, same = answers("a", "loss", base=base, tuned=worse), answers("b", "loss", base=base, tuned=base)
    plans = [suite_plan(name, "loss", higher=False) for name in "ab"]
    alone = memory_of(lossy, plans[0]).suites[0]
    assert 0.025 < alone.p_forgotten < 0.05
    assert alone.outcome == "FORGOTTEN"
    assert memory_of(lossy + same, *plans).suites[0].outcome == "NOT PROVEN"


def test_no_suites_prove_nothing_about_memory(invented_items):
    memory = judge(invented_items, TASK_ONLY).memory
    assert (memory.outcome, memory.suites) == ("NOT PROVEN", ())


def test_a_stated_margin_is_used_and_said():
    assert margin_for("x", "loss", None) == DEFAULT_MARGINS["loss"]
    assert margin_for("x", "loss", 0.3).size == 0.3
    assert margin_for("x", "loss", 0.3).reason == "set in the recipe"
    with pytest.raises(RecipeError):
        margin_for("x", "rhymes", None)


# --- The file ---------------------------------------------------------------------------------------------------------


def test_the_verdict_survives_its_file(invented_items, plan):
    verdict = judge(invented_items, plan, seed=7)
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json(), allow_nan=False))) == verdict


def test_a_file_that_is_no_verdict_is_refused(invented_items, plan):
    value = judge(invented_items, plan).to_json()
    value["task"]["outcome"] = "GREAT"
    with pytest.raises(BurnishError, match="not a verdict"):
        Verdict.from_json(value)


def test_the_verdict_recomputed_from_the_folder_agrees_exactly(invented_items, write_run):
    folder = write_run(invented_items)
    written = write_verdict(folder)
    assert judge_folder(folder) == written
    assert Verdict.from_json(json.loads(folder.verdict_json.read_text("utf-8"))) == written


def test_the_order_of_the_lines_does_not_matter(invented_items, plan):
    shuffled = list(invented_items)
    random.Random(1).shuffle(shuffled)
    assert judge(shuffled, plan, seed=7) == judge(invented_items, plan, seed=7)


def test_arms_must_have_answered_the_same_items(invented_items, plan):
    lacking = [item for item in invented_items if (item.arm, item.id) != ("base", "test-003")]
    with pytest.raises(DataError, match="same items") as caught:
        judge(lacking, plan)
    assert "test-003" in caught.value.seen
    with pytest.raises(DataError, match="same items"):
        judge([*invented_items, invented_items[0]], plan)


def test_a_lacking_score_or_plan_entry_is_named(invented_items, plan):
    bare = [dataclasses.replace(item, scores={}) if item.id == "test-005" else item for item in invented_items]
    with pytest.raises(DataError, match="correct"):
        judge(bare, plan)
    with pytest.raises(BurnishError, match="does not say"):
        judge(invented_items, {"specialist": "tuned"})
    with pytest.raises(RecipeError, match="opponent"):
        judge(invented_items, {**plan, "opponents": []})


# --- The gate ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def verdicts(invented_items, plan):
    verdict = judge(invented_items, plan, seed=7)

    def change(task, memory):
        return dataclasses.replace(
            verdict,
            task=dataclasses.replace(verdict.task, outcome=task),
            memory=dataclasses.replace(verdict.memory, outcome=memory),
        )

    return change


def test_a_bare_gate_asks_for_better_and_not_forgotten(verdicts):
    gate(verdicts("BETTER", "KEPT"), "")
    gate(verdicts("BETTER", "NOT PROVEN"), "")
    for task, memory in (("BETTER", "FORGOTTEN"), ("NOT PROVEN", "KEPT"), ("WORSE", "KEPT")):
        with pytest.raises(GateError) as caught:
            gate(verdicts(task, memory), "")
        assert caught.value.exit_code == 4


def test_a_gate_asks_for_what_it_names(verdicts):
    gate(verdicts("BETTER", "KEPT"), "task=BETTER,retention=KEPT")
    gate(verdicts("NOT PROVEN", "KEPT"), "memory=kept")
    gate(verdicts("NOT PROVEN", "KEPT"), "task=NOT_PROVEN")
    with pytest.raises(GateError, match="memory should be KEPT"):
        gate(verdicts("BETTER", "NOT PROVEN"), "task=BETTER,retention=KEPT")


@pytest.mark.parametrize("wanted", ["task", "task=GOOD", "task=KEPT", "speed=BETTER", "=BETTER"])
def test_a_gate_that_cannot_be_read_is_an_error_of_the_command(wanted):
    with pytest.raises(RecipeError):
        parse_gate(wanted)


def test_drift_is_shown_and_decides_nothing(invented_items, plan):
    moved = [
        Item("drift", f"d-{n}", "tuned", "Say hello.", "Hello", "", {"kl": n / 10, "same_token": 0.5, "tokens": 20.0})
        for n in range(10)
    ]
    without, with_drift = judge(invented_items, plan).memory, judge(invented_items + moved, plan).memory
    assert without.drift is None
    assert (with_drift.outcome, with_drift.suites) == (without.outcome, without.suites)
    assert (with_drift.drift.kl.mean, with_drift.drift.kl.n, with_drift.drift.tokens) == (pytest.approx(0.45), 10, 200)
    assert with_drift.drift.kl.low < 0.45 < with_drift.drift.kl.high


def test_a_shipped_suite_may_have_a_margin_of_its_own():
    assert margin_for("german", "logprob_margin", None).size == 0.25
    assert margin_for("mine", "logprob_margin", None).size == 0.5
    assert margin_for("german", "logprob_margin", 0.4).reason == "set in the recipe"
