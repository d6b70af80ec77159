"""How often is the verdict wrong? By simulation on the answers of a real run.

python -m benchmarks.verdicts RUN                  2,000 simulations of each kind
python -m benchmarks.verdicts RUN --simulations 50

    A/A          a model against itself, sampled with another seed: how often BETTER comes out
    regression   a loss as large as the margin, as scattered as the run's own losses: how often KEPT comes out
    power        the smallest gain that so many right/wrong items can show: how often BETTER comes out
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.common import Options, common_options, make_parser, record, run_command, table
from burnish.core.errors import RecipeError
from burnish.core.files import read_json
from burnish.core.power import LOST, smallest_gain
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.arms import Decoding
from burnish.evals.margins import margin_for
from burnish.evals.opponent import make_prompts
from burnish.evals.paired_items import read_items, suite_of
from burnish.evals.prompts import Candidate
from burnish.evals.statistics import is_binary
from burnish.evals.task import Task
from burnish.evals.task_data import read_task_data
from burnish.evals.verdict import judge
from burnish.evals.verdict_plan import Plan, SuitePlan, plan_of
from burnish.generate.engine import generate
from burnish.generate.request import Request
from burnish.graders.registry import make_grader
from burnish.pipeline.workshop import Workshop
from burnish.recipe.recipe import read_recipe

NOMINAL = {"A/A": 0.025, "regression": 0.05}  # one side of 95 %; the one-sided level of the memory check
Scores = Sequence[float]


def sampled_twice(folder: RunFolder, items: int) -> tuple[str, list[float], list[float]]:
    """The scores of the run's strongest opponent, sampled at temperature 1 with two seeds, and the metric."""
    recipe, base = read_recipe(folder.recipe)
    shop, arms = Workshop(recipe, base, folder), read_json(folder.arms)
    data = read_task_data(folder, shop.evaluation, int(arms["seed"]))
    decoding = Decoding(int(arms["decoding"]["max_new_tokens"]), shop.renderer.stop_ids)
    maker = make_prompts(data, shop.renderer, decoding, recipe.data.instructions, int(arms["seed"]))
    winner = arms["prompted"].get("winner")
    grade = make_grader(data.metric, data.keys, data.labels)
    task = Task(data.metric, grade, shop.renderer, decoding, maker, Candidate.from_json(winner) if winner else None)
    rows = random.Random(0).sample(data.test, min(items, len(data.test)))
    prompts = [tuple(task.prompt("prompted" if winner else "base", row)) for row in rows]
    decoder, metric = shop.base_decoder(), plan_of(arms).task.metric

    def scores(seed: int) -> list[float]:
        asked = [Request(prompt, decoding.max_new_tokens, 1.0, seed + place) for place, prompt in enumerate(prompts)]
        found = generate(decoder, asked, stop_ids=decoding.stop_ids)
        outputs = [shop.renderer.decode(one.tokens) for one in found]
        return [grade(output, row)[metric] for output, row in zip(outputs, rows, strict=True)]

    return metric, scores(0), scores(1_000_000)


def task_outcome(plan: Plan, metric: str, ours: Scores, theirs: Scores) -> str:
    """What the verdict says of these paired scores."""
    return judge(_items("task", metric, ours, theirs), _plan(plan, metric), seed=0).task.outcome


def _items(suite: str, metric: str, ours: Scores, theirs: Scores) -> list[Item]:
    return [
        Item(suite, str(place), arm, "", "", "", {metric: float(score)})
        for arm, scores in (("tuned", ours), ("base", theirs))
        for place, score in enumerate(scores)
    ]


def _plan(plan: Plan, metric: str) -> dict[str, Any]:
    return {"opponents": ["base"], "task": {"metric": metric, "higher_is_better": plan.task.higher_is_better}}


def better_by_chance(folder: RunFolder, plan: Plan, rng: np.random.Generator, most: int) -> Callable[[], bool]:
    """A/A: items are drawn again, and for each a coin says which answer is called the specialist's."""
    metric, first, second = sampled_twice(folder, most)
    both_2_N = np.array([first, second])

    def once() -> bool:
        drawn, side = rng.integers(both_2_N.shape[1], size=both_2_N.shape[1]), rng.integers(2, size=both_2_N.shape[1])
        ours, theirs = both_2_N[side, drawn], both_2_N[1 - side, drawn]
        return task_outcome(plan, metric, ours.tolist(), theirs.tolist()) == "BETTER"

    return once


def kept_by_chance(items: Sequence[Item], plan: Plan, rng: np.random.Generator) -> dict[str, Callable[[], bool]]:
    """For each suite that counts: how often a loss as large as the margin is taken for none."""
    return {f"regression, {suite.name}": _kept_once(items, plan, suite, rng) for suite in plan.suites}


def _kept_once(items: Sequence[Item], plan: Plan, suite: SuitePlan, rng: np.random.Generator) -> Callable[[], bool]:
    """The base's scores, less losses that are scattered as the run's own. Where items are right or wrong, the run's
    share of those that became right, and that share and the margin of those that became wrong."""
    paired = suite_of(items, suite.name, [plan.base, plan.specialist])
    base_N = np.array(paired.scores(plan.base, suite.metric))
    change_N = np.array(paired.scores(plan.specialist, suite.metric)) - base_N
    margin, n = margin_for(suite.name, suite.metric, suite.margin).size, len(base_N)
    won = float((change_N > 0).mean())
    worse_N = base_N + change_N - change_N.mean() - (margin if suite.higher_is_better else -margin)
    asked = {
        "opponents": ["base"],
        "task": {"metric": "correct"},
        "suites": [{"name": suite.name, "metric": suite.metric, "margin": suite.margin,
                    "higher_is_better": suite.higher_is_better}],
    }  # fmt: skip

    def once() -> bool:
        if is_binary(base_N):
            better, worse, same = rng.multinomial(n, [won, won + margin, 1 - 2 * won - margin])
            ours, theirs = [1.0] * better + [0.0] * worse + [1.0] * same, [0.0] * better + [1.0] * worse + [1.0] * same
        else:
            drawn = rng.integers(n, size=n)
            ours, theirs = worse_N[drawn].tolist(), base_N[drawn].tolist()
        made = [*_items(suite.name, suite.metric, ours, theirs), *_items("task", "correct", [1.0], [0.0])]
        return judge(made, asked, seed=0).memory.suites[0].outcome == "KEPT"

    return once


def shown_as_planned(n: int, plan: Plan, rng: np.random.Generator) -> Callable[[], bool]:
    """Power: of n items a share becomes wrong and a larger one right, by the smallest gain that the plan promises."""
    gain = smallest_gain(n)
    assert gain is not None
    shares = [gain + LOST, LOST, 1 - gain - 2 * LOST]

    def once() -> bool:
        won, lost, same = rng.multinomial(n, shares)
        ours, theirs = [1.0] * won + [0.0] * lost + [1.0] * same, [0.0] * won + [1.0] * lost + [1.0] * same
        return task_outcome(plan, "correct", ours, theirs) == "BETTER"

    return once


def rate(once: Callable[[], bool], simulations: int) -> int:
    """In how many simulations it came out so."""
    return sum(once() for _ in range(simulations))


def run(options: Options, folder: RunFolder, simulations: int, most: int) -> None:
    plan, items, rng = plan_of(read_json(folder.arms)), read_items(folder), np.random.default_rng(0)
    if not folder.verdict_json.exists():
        raise RecipeError("This run was not evaluated.", seen=str(folder.path))
    kinds: Mapping[str, Callable[[], bool]] = {
        "A/A": better_by_chance(folder, plan, rng, most),
        **kept_by_chance(items, plan, rng),
        "power, 300 items": shown_as_planned(300, plan, rng),
    }
    lines: list[list[object]] = [["simulated", "came out so", "of", "share", "allowed"]]
    for name, once in kinds.items():
        count, kind = rate(once, simulations), name.split(",")[0]
        if kind == "power":
            allowed = "75 % to 85 %"
        else:
            allowed = f"at most {stats.binom.ppf(0.975, simulations, NOMINAL[kind]) / simulations:.1%}"
        lines.append([name, count, simulations, f"{count / simulations:.1%}", allowed])
        record(options, "verdicts", {"kind": name, "count": count, "simulations": simulations, "run": folder.name},
               f"{name} ({folder.name}): {count} of {simulations}; allowed {allowed}")  # fmt: skip
    print(table(lines))


def main() -> None:
    parser = make_parser(__doc__, steps=0, repeats=1)
    parser.add_argument("run", type=Path, help="folder of an evaluated run")
    parser.add_argument("--simulations", type=int, default=2_000)
    parser.add_argument("--items", type=int, default=300, help="items of the task that are sampled twice")
    parsed = parser.parse_args()
    run(common_options(parsed), RunFolder(parsed.run), parsed.simulations, parsed.items)


if __name__ == "__main__":
    run_command(main)
