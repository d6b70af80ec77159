"""Slices, confusions and the reliability diagram of the report."""

from __future__ import annotations

import pytest

from burnish.core.records import Item
from burnish.evals.effects.records import Bin, Calibration
from burnish.evals.paired_items import suite_of
from burnish.evals.report_calibration import reliability_plot
from burnish.evals.report_confusion import NONE, confusion_matrix, confusion_table
from burnish.evals.report_rows import LONGEST, MOST_CHARACTERS, Compared, row_groups
from burnish.evals.report_slices import slice_tables
from burnish.evals.statistics import Mean
from burnish.evals.verdict_plan import TaskPlan

NAMES = {"base": "Base", "tuned": "Specialist"}


def answered(arm: str, answers: list[tuple[str, str]], prompt: str = "q") -> list[Item]:
    return [
        Item("task", f"{place:03d}", arm, prompt, expected, output, {"correct": float(expected == output)})
        for place, (expected, output) in enumerate(answers)
    ]


def test_the_score_is_shown_by_label() -> None:
    both = [("a", "a"), ("a", "b"), ("b", "b")]
    suite = suite_of([*answered("base", both), *answered("tuned", both)], "task", ["base", "tuned"])
    (table,) = slice_tables(suite, TaskPlan("correct", "label"), NAMES)  # all prompts are of one length
    assert table.head == ("label", "rows", "Base", "Specialist")
    assert [(row[0], row[1], row[2][:4]) for row in table.rows] == [("a", "2", "50.0"), ("b", "1", "100.")]


def test_lengths_are_cut_into_quarters_and_equal_ones_stay_together() -> None:
    items = [
        Item("task", str(n), arm, "w " * length, "x " * 3, "", {"exact": 1.0})
        for arm in ("base", "tuned")
        for n, length in enumerate([1, 1, 1, 1, 2, 3, 4, 9])
    ]
    (table,) = slice_tables(suite_of(items, "task", ["base", "tuned"]), TaskPlan("exact", "exact"), NAMES)
    assert [(row[0], row[1]) for row in table.rows] == [("1 word", "4"), ("2 to 3 words", "2"), ("4 to 9 words", "2")]


def test_the_matrix_counts_what_the_answers_name() -> None:
    items = answered("tuned", [("a", "a"), ("a", "a"), ("a", "b"), ("b", "I like trains")])
    matrix = confusion_matrix(items, ("a", "b"))
    assert matrix is not None
    assert matrix.labels == ("a", "b", NONE)
    assert [[cell.count for cell in row] for row in matrix.rows] == [[2, 1, 0], [0, 0, 1]]
    assert [cell.shade for cell in matrix.rows[0]] == [4, 2, 0]  # 5 · 2/3 and 5 · 1/3, rounded up


def test_many_labels_have_no_matrix_but_their_commonest_confusions() -> None:
    labels = [f"label{n}" for n in range(30)]
    items = answered("tuned", [(label, label) for label in labels] + [("label3", "label4")] * 2)
    base = answered("base", [(label, "label4") for label in labels] + [("label3", "label9")] * 2)
    assert confusion_matrix(items, labels) is None
    table = confusion_table(items, base, labels)
    assert table is not None
    assert table.rows == (("label3", "label4", "2", "1"),)
    assert confusion_table(answered("tuned", [("a", "a")]), [], ("a", "b")) is None


def test_the_diagram_has_a_dot_for_every_bin_and_no_style() -> None:
    half = Mean(0.5, 0.3, 0.7, 10, "Wilson")
    arms = [
        Calibration(arm, 20, 0.1, 0.6, 0.5, 1.0, (Bin(0.4, half), Bin(0.8, half))) for arm in ("base", "tuned", "<x>")
    ]
    drawn = str(reliability_plot(arms, "tuned"))
    assert drawn.count("<circle") == 6
    assert drawn.count('class="error tuned"') == 2
    assert "style=" not in drawn
    assert "<x>" not in drawn
    assert str(reliability_plot([], "tuned")) == ""


def test_all_rows_together_stay_within_the_size_of_the_page() -> None:
    answers = [("e" * 2 * LONGEST, str(n) * 2 * LONGEST) for n in range(300)]
    items = [*answered("base", answers, "p" * 2 * LONGEST), *answered("tuned", answers, "p" * 2 * LONGEST)]
    (group,) = row_groups(items, [Compared("task", "correct", True, ("base", "tuned"), 300)])
    assert group.total == 300
    assert 0 < sum(row.characters for row in group.rows) <= MOST_CHARACTERS
    assert len(group.rows) < 300


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"), [(1, 0, "won"), (0, 1, "lost"), (1, 1, "right"), (0, 0, "wrong"), (0.5, 0.5, "same")]
)
def test_rows_are_named_by_how_they_came_out(ours: float, theirs: float, kind: str) -> None:
    items = [
        Item("s", "1", arm, "q", "", "o", {"m": float(score)}) for arm, score in (("base", theirs), ("tuned", ours))
    ]
    (group,) = row_groups(items, [Compared("s", "m", True, ("base", "tuned"))])
    assert (group.kind, group.suite, len(group.rows)) == (kind, "s", 1)
