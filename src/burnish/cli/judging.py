"""`burnish verdict` and `burnish compare`: what runs came to, from the answers in their folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from burnish.cli.errors import printable
from burnish.cli.runs import console, is_run, recipe_file, say
from burnish.core.errors import BurnishError, RecipeError
from burnish.core.files import read_json
from burnish.core.power import can_show
from burnish.core.run_folder import RunFolder
from burnish.core.settings import read_yaml
from burnish.data.card import read_card
from burnish.evals import verdict as verdicts
from burnish.evals.between_runs import SuiteComparison, compare_answers, differing_settings, read_answers
from burnish.evals.paired_items import read_items
from burnish.evals.regrade import regrade
from burnish.evals.task_data import metric_to_use
from burnish.evals.verdict_text import arm_name, mean_text
from burnish.evals.wording import difference_text, metric_name, p_text
from burnish.graders.settings import score_that_decides
from burnish.pipeline.stages import flatten
from burnish.recipe.recipe import read_recipe

LONGEST_VALUE = 60
MOST_NAMED = 10
WIDTH = 130  # characters at least: a column that is cut off tells nothing
NOT_COMPARED = ("name",)


def finished_run(name: Path, out: Path) -> RunFolder:
    """The folder of an evaluated run. Raises RecipeError: there is none of that name, or it has no verdict."""
    path = recipe_file(name, out)
    if path is None or not is_run(path.parent):
        raise RecipeError("This is not a run.", seen=str(name), next_move="check the path, or `burnish runs`")
    run = RunFolder(path.parent)
    if not run.verdict_json.exists():
        raise RecipeError("This run was not evaluated yet.", seen=str(name), next_move=f"burnish evaluate {name}")
    return run


def show_plan(run: RunFolder) -> None:
    """Prints what the data card and the recipe say about the test that is to come."""
    recipe, _ = read_recipe(run.recipe)
    card, metric, judge = read_card(run.data_card), metric_to_use(run, recipe.evaluate), recipe.evaluate.judge
    if metric is None:
        how = "which of two answers the model prefers" if "pair" in card.kinds else "the loss of plain text"
    else:
        named = "named in the recipe" if metric.type == recipe.evaluate.metric.type else "told by the answers"
        score = "whose answer is taken for the better" if metric.type == "judge" else score_that_decides(metric)
        how = f"{metric.type}, judged by {metric_name(score)} ({named})"
    asked = recipe.evaluate.items
    fewer = f" evaluate.items: {can_show(asked)}" if asked is not None and asked < card.parts["test"].rows else ""
    say("\n".join((
        "",
        f"Test: {card.test_can_show}{fewer}",
        f"Metric: {how}",
        f"Opponents: {', '.join(map(arm_name, recipe.evaluate.arms))}",
        *([f"Judge: {judge.model}{f' at {judge.address}' if judge.address else ''}"] if judge else []),
        f"Memory: {recipe.evaluate.retention.summary}",
        f"The plan stands in {run.data_card}; the verdict compares what comes out with it.",
    )))  # fmt: skip


def show_verdict(run: RunFolder, *, recompute: bool, gate: str | None) -> None:
    """Prints verdict.md. Raises BurnishError: recomputed, it comes out otherwise. GateError: the gate is not met."""
    stored = verdicts.read_verdict(run)
    if recompute:
        _grade_again(run)
        worked_out = verdicts.judge_folder(run)
        if worked_out != stored:
            one, other = (dict(_leaves(value.to_json(), "verdict")) for value in (stored, worked_out))
            key = next(key for key in (*one, *other) if one.get(key) != other.get(key))
            raise BurnishError(
                "Worked out again from items.jsonl, the verdict is another one.",
                where=str(run.verdict_json),
                seen=f"{key}: {_shown(str(one.get(key)))} in the file, {_shown(str(other.get(key)))} now",
                next_move="a file was changed, or another version wrote it: `burnish evaluate --fresh` asks again",
            )
        say(f"worked out again from {len(read_items(run))} answers: the same in every digit\n")
    say(run.verdict_md.read_text("utf-8").replace("**", ""))
    if gate is not None:
        verdicts.gate(stored, gate)


def _grade_again(run: RunFolder) -> None:
    """Raises BurnishError: a stored score is not what its answer gets."""
    found = regrade(run)
    if found.differences:
        first = found.differences[0]
        more = [f"{one.item.suite} {one.item.arm} {one.item.id}" for one in found.differences[1:MOST_NAMED]]
        raise BurnishError(
            f"Graded again, {len(found.differences)} of {found.graded} answers get another score.",
            where=f"{run.items}, suite {first.item.suite}, arm {first.item.arm}, item {first.item.id}",
            seen=f"{first.score}: {first.stored} in the file, {first.now} now"
            + (f"; also {', '.join(more)}" if more else ""),
            next_move="a file was changed, or another version graded: `burnish evaluate --fresh` asks again",
        )
    say(f"graded {found.graded} answers again: the same scores")
    for suite, count in found.left_out.items():
        say(f"  {suite}: {count} items were scored by the model and cannot be graded without it")


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _leaves(inner, f"{name}.{key}")
        case list():
            for place, inner in enumerate(value):
                yield from _leaves(inner, f"{name}.{place}")
        case _:
            yield name, value


def compare_runs(names: Sequence[Path], out: Path) -> None:
    """Prints a table a suite, and the settings that differ. Raises RecipeError: fewer than two runs, or one twice."""
    folders = {str(name): finished_run(name, out) for name in names}
    if len(folders) < 2 or len(folders) < len(names):
        raise RecipeError("Name two runs or more, each once.", seen=" ".join(map(str, names)))
    for suite in compare_answers([read_answers(folder, name) for name, folder in folders.items()]):
        _print_suite(suite, next(iter(folders)))
    _print_settings({name: _settings(folder) for name, folder in folders.items()})


def _print_suite(suite: SuiteComparison, first: str) -> None:
    left_out = f"; {suite.left_out} that not all answered, or were asked otherwise, left out" if suite.left_out else ""
    say(f"{suite.suite}: {suite.n} items that all answered{left_out}; {first} against each")
    table = _table("run", metric_name(suite.metric), "better by", "95 % interval", "p", "won / lost")
    table.add_row(printable(first), mean_text(suite.metric, suite.means[first]))
    for one in suite.comparisons:
        low, high = (difference_text(one.metric, bound, unit=False) for bound in (one.low, one.high))
        table.add_row(printable(one.opponent), mean_text(suite.metric, suite.means[one.opponent]),
                      difference_text(one.metric, one.delta), f"{low} to {high}", p_text(one.p_holm),
                      f"{one.won} / {one.lost}")  # fmt: skip
    _print(table)
    say("")


def _print_settings(recipes: Mapping[str, Mapping[str, object]]) -> None:
    differing = differing_settings(recipes)
    if not differing:
        say("The recipes are the same.")
        return
    table = _table("setting", *map(printable, recipes))
    for key, values in differing.items():
        table.add_row(printable(key), *(_shown(str(values[run])) for run in recipes))
    _print(table)


def _settings(run: RunFolder) -> dict[str, object]:
    """The recipe as one level of keys, and what training chose where the recipe leaves it open."""
    groups = {key: value for key, value in read_yaml(run.recipe).values.items() if key not in NOT_COMPARED}
    flat: dict[str, object] = {}
    for key, value in groups.items():
        flat |= flatten(value, key) if isinstance(value, dict) else {key: value}
    chosen = read_json(run.training).get("plan", {}) if run.training.exists() else {}
    return flat | {f"chosen: {key}": value for key, value in chosen.items()}


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _print(table: Table) -> None:
    Console(highlight=False, width=max(WIDTH, console.width)).print(table)


def _shown(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"
