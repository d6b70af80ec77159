import dataclasses
import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest

from burnish.core.errors import BurnishError
from burnish.core.files import read_json, write_json, write_text
from burnish.core.records import Item
from burnish.evals.report import report_context, write_report
from burnish.evals.report_rows import LONGEST, Compared, clipped, row_groups
from burnish.evals.verdict_text import write_verdict

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></details><script>1</script>",
    '"><svg onload=alert(1)>',
    "{{ 7*7 }}{% include 'x' %}",
    "javascript:alert(1)",
    "</style><script>1</script>",
    "\u202egpj.exe\x00\x1b[31m",
)


class Tags(HTMLParser):
    """Collects every tag and attribute of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@pytest.fixture
def report(invented_items, write_run):
    def write(items=invented_items, change=lambda folder: None, *, judged=True):
        folder = write_run(items)
        if judged:
            write_verdict(folder)
        change(folder)
        write_report(folder)
        return folder.report.read_text("utf-8")

    return write


def parsed(page):
    tags = Tags()
    tags.feed(page)
    return tags


def assert_inert(page):
    tags = parsed(page)
    assert not {"img", "iframe", "object", "embed", "link", "a", "form", "base"} & set(tags.tags)
    assert tags.tags.count("script") == 1  # our own, allowed by its hash
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in page
    assert not [name for _, name, _ in tags.attributes if name.startswith("on") or name in ("style", "href", "src")]


def test_the_page_says_the_outcome_and_loads_nothing(report):
    page = report()
    assert "<h1>BETTER at the task. Memory: KEPT.</h1>" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")
    assert_inert(page)


def test_all_sections_are_there(report, plan):
    page = report()
    for title in ("The task", "Memory", "Training", "Row by row", "What was compared", "The environment", "The data"):
        assert title in page
    assert "Kept: step 90" in page
    assert "8 cores" in page
    assert plan["prompted"]["prompt"].splitlines()[0].replace("'", "&#39;") in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_any_place_stays_text(report, invented_items, payload):
    def hostile(item):
        if item.suite != "task":
            return item
        return dataclasses.replace(item, id=item.id + payload, prompt=payload, expected=payload, output=payload)

    def change(folder):
        write_json(folder.environment, {payload: payload})
        write_json(folder.data_card, {"rows": [{payload: payload}]})
        write_json(folder.arms, {**read_json(folder.arms), "prompted": {"prompt": payload}})

    page = report([hostile(item) for item in invented_items], change)
    assert_inert(page)
    assert "49" not in page.split("What was compared")[1].split("How this was decided")[0]
    assert not set(page) & {"\u202e", "\x00", "\x1b"}


def test_unpaired_surrogates_can_be_written(report, invented_items):
    items = [dataclasses.replace(item, output=item.output + "\ud800") for item in invented_items]
    page = report([dataclasses.replace(item, output=item.output.replace("\ud800", "\\ud800")) for item in items])
    assert "\\ud800" in page
    assert clipped("\ud800") == "\\ud800"


def test_a_run_without_training_and_cards_still_has_a_report(report):
    def change(folder):
        for file in (folder.metrics, folder.training, folder.environment, folder.data_card):
            file.unlink()

    page = report(change=change)
    assert "<h2>Training</h2>" not in page
    assert "The environment" not in page


def test_an_unevaluated_run_has_no_report(invented_items, write_run):
    with pytest.raises(BurnishError, match=r"verdict\.json"):
        report_context(write_run(invented_items))


def test_won_and_lost_rows_come_first_and_no_more_are_shown_than_asked_for(invented_items):
    groups = row_groups(invented_items, [Compared("task", "correct", True, ("base", "prompted", "tuned"), 60)])
    assert [group.kind for group in groups] == ["won", "lost", "right", "wrong"]
    assert sum(group.total for group in groups) == 80
    assert sum(len(group.rows) for group in groups) == 60
    for row in groups[0].rows:
        marks = {answer.arm: answer.mark for answer in row.answers}
        assert marks == {"base": "wrong", "prompted": "wrong", "tuned": "right"}


def test_very_long_texts_are_cut_and_say_so():
    shown = clipped("x" * 5000)
    assert shown.startswith("x" * LONGEST)
    assert shown.endswith("(5,000 characters in all)")


def test_a_task_scored_by_loss_against_one_opponent_has_a_report(report):
    rng = np.random.default_rng(5)
    losses = {"base": rng.normal(3, 0.3, 30), "tuned": rng.normal(2.5, 0.3, 30)}
    items = [
        Item("task", f"t{place:02d}", arm, "", None, "", {"loss": float(loss)})
        for arm, values in losses.items()
        for place, loss in enumerate(values)
    ]

    def change(folder):
        task = {"metric": "loss", "shape": "plain text", "higher_is_better": False}
        write_json(
            folder.arms, {"opponents": ["base"], "task": task, "suites": [], "prompted": {"left_out": "no prompt"}}
        )
        write_verdict(folder)

    page = report(items, change, judged=False)
    assert "BETTER at the task. Memory: NOT PROVEN." in page
    assert "nats per token" in page


def test_drift_stands_below_the_suites(report, invented_items):
    moved = [
        Item("drift", f"d-{n}", "tuned", "Hi.", "Hello", "", {"kl": n / 10, "same_token": 0.5, "tokens": 20.0})
        for n in range(10)
    ]
    assert "<b>Drift</b>: on the base" in report([*invented_items, *moved])
    assert "<b>Drift</b>" not in report()


@pytest.fixture
def rich_report(report, invented_items, plan):
    """A report whose items tell all that there may be to tell; `region` is a name from outside."""

    def write(region="north"):
        def told(place, item):
            facts = {"tokens": 3, "stopped": place % 9 > 0, "label": item.output, "confidence": 0.3 + place % 7 / 10}
            return dataclasses.replace(item, facts={**facts, "columns": {region: region if place % 2 else "south"}})

        items = [told(n // 3, item) if item.suite == "task" else item for n, item in enumerate(invented_items)]
        items = [
            dataclasses.replace(item, facts={"tokens": 1, "stopped": True}) if item.suite == "instructions" else item
            for item in items
        ]
        for arm, rank in (("base", 50.0), ("tuned", 1.0)):
            items.append(Item("canary", "canary-1", arm, "?", "1", "", {"rank": rank, "exposure": 7 - np.log2(rank)}))

        def change(folder):
            write_json(folder.arms, {**plan, "task": {**plan["task"], "labels": ["billing", "delivery"]}})
            write_text(folder.train, json.dumps({"id": "1", "text": " ".join(map(str, range(20)))}) + "\n")
            write_json(folder.data_card, {"test_can_show": "41 rows can show a gain of 19 points"})
            write_verdict(folder)

        return report(items, change, judged=False)

    return write


def test_side_effects_slices_and_controls_are_there(rich_report):
    page = rich_report()
    assert_inert(page)
    for text in (
        "41 rows can show a gain of 19 points", "What the specialist takes for what", "Accuracy by label",
        "Refusals in the memory check", "Share of right answers", "Canaries", "By north: accuracy",
        "goes round in circles", "cut off by the limit of tokens", "1 rows of train were searched",
        'id="search"', 'data-suite="instructions"',
    ):  # fmt: skip
        assert text in page, text
    assert "http" not in page.replace('http-equiv="Content-Security-Policy"', "")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_column_stays_text(rich_report, payload):
    page = rich_report(payload)
    assert_inert(page)
    assert not set(page) & {"\u202e", "\x00", "\x1b"}


def test_verdict_md_tells_side_effects_as_inert_tables(rich_report, tmp_path):
    rich_report("<script>|x`")
    text = (tmp_path / "tickets-01" / "verdict.md").read_text("utf-8")
    assert "## Side effects" in text
    assert "<script>" not in text
    assert "| 7.0 | 1 of 1 |" in text


def test_a_page_with_thousands_of_items_stays_small(report, invented_items):
    task = [item for item in invented_items if item.suite == "task"]
    many = [
        dataclasses.replace(item, id=f"{item.id}-{copy}", prompt="long " * 300) for copy in range(40) for item in task
    ]
    page = report(many + [item for item in invented_items if item.suite != "task"])
    assert len(page) < 3_000_000
    shown, total = re.search(r"(\d+) of (\d+) rows are on this page", page).groups()
    assert int(shown) <= 300 + 2 * 40
    assert int(total) == 40 * 80 + 200  # the task and the one suite whose items hold answers
