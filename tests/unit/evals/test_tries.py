from pathlib import Path

from burnish.core.files import write_jsonl
from burnish.core.records import Chat, Item, Message
from burnish.core.run_folder import RunFolder
from burnish.evals.tries import note_try
from burnish.evals.verdict import judge


def run(folder: Path, name: str, rows: int = 3) -> RunFolder:
    made = RunFolder(folder / name)
    talk = (Message("user", "q"), Message("assistant", "a"))
    write_jsonl(made.test, (Chat(f"{n:016x}", talk).to_json() for n in range(rows)))
    return made


def test_each_new_specialist_on_the_same_rows_is_one_try_more(tmp_path: Path) -> None:
    assert note_try(run(tmp_path, "one"), "weights 1") == 1
    assert note_try(run(tmp_path, "two"), "weights 2") == 2
    assert note_try(run(tmp_path, "one"), "weights 1") == 1  # judged again: the same specialist
    assert note_try(run(tmp_path, "other", rows=4), "weights 3") == 1  # other rows
    assert note_try(run(tmp_path, "three"), "weights 4") == 3


def items(won: int, lost: int, same: int) -> list[Item]:
    scores = [(1.0, 0.0)] * won + [(0.0, 1.0)] * lost + [(1.0, 1.0)] * same
    return [
        Item("task", str(n), arm, "", "", "", {"correct": score})
        for n, pair in enumerate(scores)
        for arm, score in zip(("tuned", "base"), pair, strict=True)
    ]


def test_what_is_better_as_a_first_try_is_not_proven_as_the_twentieth() -> None:
    # 13 won and 3 lost: p = 2 · (C(16,0) + C(16,1) + C(16,2) + C(16,3)) / 2¹⁶ = 2 · 697 / 65536 = 0.0213;
    # that is below 0.05, and above 0.05 / 20 = 0.0025
    plan = {"opponents": ["base"], "task": {"metric": "correct"}}
    first = judge(items(13, 3, 20), plan)
    twentieth = judge(items(13, 3, 20), {**plan, "tries": 20})
    assert (first.task.outcome, twentieth.task.outcome) == ("BETTER", "NOT PROVEN")
    assert abs(first.task.comparisons[0].p - 2 * 697 / 65536) < 1e-9
    assert first.task.confidence == "95 %"
    assert twentieth.task.confidence == "99.75 %"
    assert twentieth.task.comparisons[0].low < first.task.comparisons[0].low


def test_repeats_of_a_training_take_one_place_together_and_each_pays_for_the_choice_among_them(tmp_path: Path) -> None:
    assert note_try(run(tmp_path, "one"), "weights 1") == 1
    assert note_try(run(tmp_path, "one-seed1"), "weights 1b", ("weights 1", 1)) == 2
    assert note_try(run(tmp_path, "one-seed2"), "weights 1c", ("weights 1", 2)) == 3
    assert note_try(run(tmp_path, "two"), "weights 2") == 2  # not 4
    assert note_try(run(tmp_path, "two-seed1"), "weights 2b", ("weights 2", 1)) == 3
    assert note_try(run(tmp_path, "one-seed2"), "weights 1c", ("weights 1", 2)) == 3  # judged again
    assert note_try(run(tmp_path, "one"), "weights 1") == 1
