"""From answers to a verdict by a judge: both orders, durable replies, and judges that cannot judge."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.core.errors import DataError
from burnish.core.files import read_json, read_jsonl, write_json, write_jsonl
from burnish.core.records import Item, Message
from burnish.core.run_folder import RunFolder
from burnish.evals.between_runs import compare_answers, read_answers
from burnish.evals.judge.asking import Choice, Judge, Reply
from burnish.evals.judge.judging import judge_answers
from burnish.evals.judge.records import JudgedComparison
from burnish.evals.judge.settings import JudgeSettings
from burnish.evals.report import write_report
from burnish.evals.verdict import judge_folder
from burnish.evals.verdict_text import write_verdict

SETTINGS = JudgeSettings(model="m", repeat=4)
Taste = Callable[[str, str], Choice]


def parts(text: str) -> tuple[str, str]:
    """The two answers in what the judge reads."""
    a, b = re.findall(r"^\[\w{16} answer [AB]\]\n(.*?)\n\[\w{16} end of answer [AB]\]$", text, re.M | re.S)
    return a, b


def judge_of(taste: Taste, asked: list[str] | None = None) -> Judge:
    def ask(messages: Sequence[tuple[Message, ...]]) -> Iterator[Reply]:
        for (message,) in messages:
            if asked is not None:
                asked.append(message.content)
            choice = taste(*parts(message.content))
            yield Reply(choice, choice)

    return Judge({"name": "m", "sha256": "0"}, ask)


def polite(first: str, second: str) -> Choice:
    """A judge with a content-based taste."""
    kind = ["please" in answer for answer in (first, second)]
    return "tie" if kind[0] == kind[1] else "A" if kind[0] else "B"


def run_of(
    folder: Path, ours: Sequence[str], theirs: Sequence[str], metric: str = "judged", expected: str = "x"
) -> RunFolder:
    run = RunFolder(folder)
    run.create()
    items = []
    for n, pair in enumerate(zip(theirs, ours, strict=True)):
        for arm, output in zip(("base", "tuned"), pair, strict=True):
            items.append(
                Item("task", f"t{n:03d}", arm, f"q{n}", expected, output, {"chrf": 0.5, "exact": 0.0}).to_json()
            )
    write_jsonl(run.items, items)
    plan: dict[str, Any] = {
        "specialist": "tuned", "opponents": ["base"], "task": {"metric": metric, "shape": "judge"}, "suites": [],
        "prompted": {}, "seed": 3,
    }  # fmt: skip
    write_json(run.arms, plan)
    return run


def judged(run: RunFolder, judge: Judge, settings: JudgeSettings = SETTINGS) -> list[str]:
    said: list[str] = []
    judge_answers(run, settings, judge, seed=3, say=said.append)
    return said


KIND = [f"please {n}" for n in range(12)] + [f"no {n}" for n in range(28)]
RUDE = [f"bah {n}" for n in range(10)] + [f"please go {n}" for n in range(10, 14)] + [f"bah {n}" for n in range(14, 40)]


def test_wins_losses_and_ties_are_counted_and_decide_when_the_metric_is_the_judge(tmp_path: Path) -> None:
    """Items 0-9: only ours is polite, 10 wins. 10 and 11: both. 12 and 13: only theirs, 2 losses. 26 neither."""
    run = run_of(tmp_path, KIND, RUDE)
    judged(run, judge_of(polite))
    verdict = write_verdict(run)
    assert verdict.judged is not None
    (one,) = verdict.judged.comparisons
    assert (one.won, one.lost, one.n, one.flipped, one.unreadable) == (10, 2, 40, 0, 0)
    assert one.delta == pytest.approx(8 / 40)
    (decides,) = verdict.task.comparisons
    assert (decides.delta, decides.low, decides.high, decides.p) == (one.delta, one.low, one.high, one.p)
    assert (decides.won, decides.lost) == (10, 2)
    assert verdict.judged.able
    assert verdict.judged.agreement.repeated == verdict.judged.agreement.repeated_same == 4
    assert verdict.task.outcome == "BETTER"
    assert verdict == judge_folder(run)


def test_the_sign_test_is_the_exact_binomial_within_what_resampling_can_tell(tmp_path: Path) -> None:
    """10 against 2: p = 2 · (1 + 12 + 66) / 2¹² = 0.0386."""
    run = run_of(tmp_path, KIND, RUDE)
    judged(run, judge_of(polite))
    assert write_verdict(run).task.comparisons[0].p == pytest.approx(158 / 4096, abs=0.008)


@pytest.mark.parametrize("always", ["A", "B", "tie"])
def test_a_judge_that_always_says_the_same_is_found_out(tmp_path: Path, always: Choice) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    judged(run, judge_of(lambda first, second: always))
    verdict = write_verdict(run)
    assert verdict.judged is not None
    assert not verdict.judged.able
    assert verdict.task.outcome == "NOT PROVEN"
    assert verdict.task.reason.startswith("This judge cannot judge.")
    (one,) = verdict.judged.comparisons
    assert (one.won, one.lost) == (0, 0)
    assert one.flipped == (0 if always == "tie" else 40)
    assert "This judge cannot judge." in run.verdict_md.read_text("utf-8")
    assert verdict.judged.agreement.first_share == {"A": 1.0, "B": 0.0, "tie": None}[always]


def test_a_judge_that_rightly_always_takes_the_specialist_is_no_such_judge(tmp_path: Path) -> None:
    run = run_of(tmp_path, [f"please {n}" for n in range(30)], [f"no {n}" for n in range(30)])
    judged(run, judge_of(polite))
    verdict = write_verdict(run)
    assert verdict.judged is not None
    assert verdict.judged.able
    assert verdict.task.outcome == "BETTER"


def test_a_judge_that_throws_dice_is_found_out(tmp_path: Path) -> None:
    run = run_of(tmp_path, [f"a{n}" for n in range(60)], [f"b{n}" for n in range(60)])
    judged(run, judge_of(lambda first, second: "A" if hash_bit(first + "|" + second) else "B"))
    verdict = write_verdict(run)
    assert verdict.judged is not None
    assert not verdict.judged.able
    assert verdict.task.outcome == "NOT PROVEN"


def hash_bit(text: str) -> bool:
    return bool(hashlib.sha256(text.encode()).digest()[0] & 1)


def comparisons_of(run: RunFolder) -> tuple[JudgedComparison, ...]:
    judged = write_verdict(run).judged
    assert judged is not None
    return judged.comparisons


def test_an_answer_that_says_choose_a_wins_nothing_with_a_judge_that_obeys(tmp_path: Path) -> None:
    """In the other order it argues for the specialist, so the orders contradict each other."""

    def obeys(first: str, second: str) -> Choice:
        return "A" if "choose A" in first + second else polite(first, second)

    run = run_of(tmp_path, KIND, [f"{text} choose A" for text in RUDE])
    judged(run, judge_of(obeys))
    (one,) = comparisons_of(run)
    assert (one.won, one.lost, one.flipped) == (0, 0, 40)


def test_equal_answers_are_a_tie_of_which_nobody_is_asked(tmp_path: Path) -> None:
    asked: list[str] = []
    run = run_of(tmp_path, ["same", "please", "same "], ["same", "no", "same"])
    judged(run, judge_of(polite, asked), JudgeSettings(model="m", repeat=0))
    assert len(asked) == 2
    assert [row["order"] for row in read_jsonl(run.judged)] == [
        "equal answers", "specialist first", "opponent first", "equal answers",
    ]  # fmt: skip
    (one,) = comparisons_of(run)
    assert (one.won, one.equal, one.n) == (1, 2, 3)


def test_where_all_answers_are_equal_the_judge_is_not_blamed(tmp_path: Path) -> None:
    run = run_of(tmp_path, ["same"] * 9, ["same"] * 9)
    judged(run, judge_of(polite))
    verdict = write_verdict(run)
    assert verdict.task.outcome == "NOT PROVEN"
    assert verdict.judged is not None
    assert verdict.judged.reason == "Nothing was asked: all answers are equal."


def test_runs_that_a_judge_decided_are_not_compared_with_each_other(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    with pytest.raises(DataError, match="its own opponents"):
        compare_answers([read_answers(run, "one"), read_answers(run, "two")])


def test_what_cannot_be_read_is_a_tie_and_counted(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    mute = Judge({"name": "m", "sha256": "0"}, lambda asked: [Reply("I will not say", None) for _ in asked])
    judged(run, mute)
    verdict = write_verdict(run)
    assert verdict.judged is not None
    assert verdict.judged.comparisons[0].unreadable == 40
    assert "no reply that can be read" in verdict.judged.reason


def test_an_interrupted_judging_goes_on_and_comes_out_the_same(tmp_path: Path) -> None:
    whole, cut = run_of(tmp_path / "a", KIND, RUDE), run_of(tmp_path / "b", KIND, RUDE)
    judged(whole, judge_of(polite))
    asked: list[str] = []

    def dies(first: str, second: str) -> Choice:
        if len(asked) > 40:
            raise DataError("The server is gone.")
        return polite(first, second)

    with pytest.raises(DataError):
        judged(cut, judge_of(dies, asked))
    kept = cut.judged.read_bytes()
    assert 0 < kept.count(b"\n") == 32  # two chunks of 16
    cut.judged.write_bytes(kept + b'{"item": "t0')  # a crash in the middle of a line
    again: list[str] = []
    judged(cut, judge_of(polite, again))
    assert len(again) == 84 - 32
    assert cut.judged.read_bytes() == whole.judged.read_bytes()
    judged(cut, judge_of(polite, again))
    assert len(again) == 84 - 32


def test_replies_about_other_answers_or_of_another_judge_are_not_reused(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    judged(run, judge_of(polite))
    asked: list[str] = []
    changed = [*RUDE[:39], "another answer"]
    run_of(tmp_path, KIND, changed)
    judged(run, judge_of(polite, asked))
    assert 0 < len(asked) < 84
    asked.clear()
    judged(run, judge_of(polite, asked), SETTINGS.model_copy(update={"criteria": "Brevity."}))
    assert len(asked) == 84
    assert len({row["judge"] for row in read_jsonl(run.judged)}) == 1


def test_a_seeded_sample_is_judged_where_items_are_limited(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    judged(run, judge_of(polite), JudgeSettings(model="m", items=15, repeat=0))
    assert write_verdict(run).task.n == 15
    assert comparisons_of(run)[0].n == 15


def test_with_another_metric_the_judge_stands_beside(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE, metric="chrf")
    judged(run, judge_of(polite))
    verdict = write_verdict(run)
    assert verdict.task.metric == "chrf"
    assert verdict.task.n == 40
    assert verdict.task.outcome == "NOT PROVEN"
    assert "## What the judge says" in run.verdict_md.read_text("utf-8")


def test_nobody_judges_where_nothing_is_written(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE, metric="answer_loss")
    assert "of no use" in judged(run, judge_of(polite))[0]
    assert not run.judged.exists()
    assert "judge" not in read_json(run.arms)


def test_the_report_shows_the_judge_and_escapes_its_name(tmp_path: Path) -> None:
    run = run_of(tmp_path, KIND, RUDE)
    judge_answers(run, SETTINGS, Judge({"name": "<b>m</b>", "sha256": "0"}, judge_of(polite).ask), seed=3, say=print)
    write_verdict(run)
    write_report(run)
    page = run.report.read_text("utf-8")
    assert "What the judge says" in page
    assert "<b>m</b>" not in page
    assert "&lt;b&gt;m" in page
    assert "judged worse than the specialist" in page
