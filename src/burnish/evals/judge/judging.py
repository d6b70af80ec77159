"""After the arms have answered: the judge compares the specialist's answers with every opponent's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from burnish.core.files import read_json, write_json
from burnish.core.records import Item
from burnish.core.run_folder import RunFolder
from burnish.evals.judge.asking import Judge
from burnish.evals.judge.judged_file import Judged, judge_all, questions, read_judged
from burnish.evals.judge.outcome import judge_judged
from burnish.evals.judge.records import JudgedVerdict
from burnish.evals.judge.settings import JudgeSettings
from burnish.evals.paired_items import read_items

UNWRITTEN = ("loss", "answer_loss", "preference")  # tasks in which nobody writes an answer


def judge_answers(
    folder: RunFolder, settings: JudgeSettings, judge: Judge, *, seed: int, say: Callable[[str], None]
) -> None:
    """Writes judged.jsonl, and into arms.json who judged; goes on where it stopped.

    Raises DataError: the judge cannot be reached; what was judged is kept. Stopped: the disk is full.
    """
    plan = read_json(folder.arms)
    if plan["task"]["metric"] in UNWRITTEN:
        say("evaluate.judge is of no use here: no answers are written that could be compared")
        return
    if settings.sends_away:
        say(f"test prompts and answers are sent to {settings.address}")
    mark = judge.hash(settings)
    who = {**judge.identity, "criteria": settings.criteria, "reference": settings.reference, "hash": mark}
    write_json(folder.arms, {**plan, "judge": who})
    asked = questions(read_items(folder), plan["specialist"], plan["opponents"], settings, seed)
    judge_all(folder.judged, asked, judge, mark, say)


def replies_of(folder: RunFolder, plan: Mapping[str, Any]) -> list[Judged]:
    """The replies of the judge that arms.json names; none where it names none."""
    who = plan.get("judge")
    return [row for row in read_judged(folder.judged) if row.judge == who["hash"]] if who else []


def hear(
    items: Sequence[Item], rows: Sequence[Judged], specialist: str, who: Mapping[str, Any], *, level: float, seed: int
) -> JudgedVerdict:
    """What the replies come to. `who` is the judge as arms.json names it."""
    lengths = {(item.id, item.arm): len(item.output) for item in items if item.suite == "task"}
    name = f"{who['name']} at {who['address']}" if "address" in who else str(who["name"])
    return judge_judged(rows, lengths, specialist, name, level=level, seed=seed)
