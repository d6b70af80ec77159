from burnish.core.records import Item
from burnish.evals.verdict import judge
from burnish.evals.verdict_text import escaped, fenced, verdict_markdown
from burnish.evals.wording import difference_text, score_text, visible


def test_the_first_two_lines_are_the_outcome(invented_items, plan):
    lines = verdict_markdown(judge(invented_items, plan, seed=7), plan).splitlines()
    assert lines[0] == "**BETTER at the task. Memory: KEPT.**"
    assert lines[1].startswith("Accuracy against the base model, well prompted: +")
    assert "on 80 rows" in lines[1]


def test_all_parts_are_there(invented_items, plan):
    text = verdict_markdown(judge(invented_items, plan, seed=7), plan)
    assert "80 rows can show a gain of" in text
    assert plan["prompted"]["prompt"] in text
    for word in ("knowledge", "instructions", "general\\_text", "Holm", "McNemar"):
        assert word in text
    heads = [line.count("|") for line in text.splitlines() if line.startswith("| arm")]
    rows = [line.count("|") for line in text.splitlines() if line.startswith("| the specialist |")]
    assert heads == rows


def test_without_suites_and_prompt_nothing_is_invented(invented_items, plan):
    bare = {**plan, "suites": []}
    del bare["prompted"]
    text = verdict_markdown(judge(invented_items, bare), bare)
    assert text.startswith("**BETTER at the task. Memory: NOT PROVEN.**")
    assert "The prompt of the opponent" not in text
    assert "| suite |" not in text


def test_text_of_unknown_origin_stays_text(plan):
    name = "base<script>alert(1)</script>|\n# x"
    scores = {name: 0, "tuned": 1}
    items = [
        Item("task", f"i{place}", arm, "p", "e", "o", {"correct": float(score)})
        for arm, score in scores.items()
        for place in range(12)
    ]
    hostile = {**plan, "opponents": [name], "suites": [], "prompted": {"prompt": "a\n````\n<img src=x>\n\u202eabc"}}
    text = verdict_markdown(judge(items, hostile), hostile)
    assert "<script>" not in text
    assert "\n# x" not in text
    assert "`````text\na\n````\n<img src=x>\n\\u202eabc\n`````" in text


def test_a_fence_is_longer_than_any_inside():
    assert fenced("x").startswith("```text\n")
    assert fenced("``` and `````").startswith("``````text\n")


def test_escaping_leaves_plain_words_alone():
    assert escaped("well prompted (95 %) +3.1") == "well prompted (95 %) +3.1"
    assert escaped("a|b_c*<b>") == "a\\|b\\_c\\*&lt;b&gt;"


def test_numbers_have_signs_and_units():
    assert score_text("correct", 0.825) == "82.5\u00a0%"
    assert difference_text("correct", -0.041) == "−4.1 points"
    assert difference_text("loss", 0.1) == "+0.100 nats per token"
    assert difference_text("loss", 0.1, unit=False) == "+0.100"


def test_signs_that_act_are_spelt_out():
    assert visible("a\x1b[31m\u202eb\ud800\r\n\tc") == "a\\u001b[31m\\u202eb\\ud800\n\tc"
