import pytest
from sacrebleu import corpus_bleu as wanted_bleu

from burnish.core.records import Item
from burnish.evals.corpus_scores import corpus_bleu, corpus_scores, micro_f1
from burnish.evals.verdict_plan import TaskPlan

PAIRS = [
    ("the cat sat on a mat near the door", "a cat sat on the mat near the door"),
    ("it rains in Bonn today", "it rains in Bonn"),
    ("no", "yes of course"),
]


def test_bleu_of_all_answers_is_that_of_sacrebleu():
    mean = corpus_bleu(PAIRS)
    wanted = wanted_bleu([output for output, _ in PAIRS], [[expected for _, expected in PAIRS]]).score / 100
    assert mean.mean == pytest.approx(wanted)
    assert mean.low <= mean.mean <= mean.high


def test_f1_over_all_entities_by_hand():
    # Found 1 and 0, given 2 and 1, wanted 1 and 2: 2·1 / (3 + 3). The mean of each row's F1 is (2/3 + 0) / 2.
    pairs = [('{"a": ["x", "y"]}', '{"a": ["x"]}'), ('{"a": ["z"]}', '{"a": ["u", "v"]}')]
    assert micro_f1(pairs).mean == pytest.approx(1 / 3)
    assert micro_f1([("{}", "{}")]).mean == 1.0


def test_only_some_metrics_have_a_score_of_all_answers():
    items = [Item("task", "1", "base", "?", "a", "a"), Item("task", "2", "base", "?", "b", "It is b")]
    names = {shape: set(corpus_scores(TaskPlan("x", shape), items, seed=0)) for shape in ("label", "bleu", "text", "")}
    assert names == {"label": {"macro_f1"}, "bleu": {"corpus_bleu"}, "text": set(), "": set()}


def test_macro_f1_knows_the_labels_of_the_task():
    items = [Item("task", "1", "base", "?", "aaa", "aaa"), Item("task", "2", "base", "?", "bbb", "It is bbb")]
    assert corpus_scores(TaskPlan("correct", "label"), items, seed=0)["macro_f1"].mean == 0.5
    knowing = TaskPlan("correct", "label", labels=("aaa", "bbb"))
    assert corpus_scores(knowing, items, seed=0)["macro_f1"].mean == 1.0
