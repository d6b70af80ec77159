"""Opponents that a recipe names, end to end: another run, other models, an address, the base with so many examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.run_cli import Result, burnish
from tests.serving import Said, Seen, chat_answer, http_server
from tests.tiny import make_model, make_tokenizer, write_gguf_model

COLOURS = {"sky": "blue", "grass": "green", "blood": "red", "snow": "white"}
RULES = "evaluate: {retention: off, max_new_tokens: 4, examples: 2, opponents: "


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_folder: Path) -> Path:
    """A folder with rows, a model of another tokenizer, one as GGUF, and a trained run called `first`."""
    folder = tmp_path_factory.mktemp("work")
    lines = [{"prompt": f"{n}: {thing}?", "completion": colour} for n in range(15) for thing, colour in COLOURS.items()]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    tokenizer = make_tokenizer(280)
    make_model(len(tokenizer), seed=5).save_pretrained(folder / "other")
    tokenizer.save_pretrained(folder / "other")
    write_gguf_model(folder / "tiny.gguf", tiny_folder)
    assert run(folder, tiny_folder, "first", "[base]").code == 0
    return folder


def run(folder: Path, model: Path, name: str, opponents: str, *more: str) -> Result:
    recipe = folder / f"{name}.yaml"
    recipe.write_text(f"model: {model}\ndata: rows.jsonl\ntrain: {{steps: 2}}\nexport: []\n{RULES}{opponents}}}\n")
    return burnish("run", recipe, "--out", folder / "runs", *more)


def items_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "runs" / name / "items.jsonl").read_text("utf-8").splitlines()]


def read(folder: Path, name: str, file: str) -> Any:
    return json.loads((folder / "runs" / name / file).read_text("utf-8"))


def interrupt(folder: Path, name: str) -> bytes:
    """Makes a run look as if it had been stopped in the middle of its answers. Returns what they were."""
    stages = folder / "runs" / name / "stages.json"
    record = json.loads(stages.read_text())
    record["evaluate"]["finished"] = False
    del record["export"]
    stages.write_text(json.dumps(record))
    items = folder / "runs" / name / "items.jsonl"
    whole = items.read_bytes()
    items.write_bytes(whole[: len(whole) // 2])
    return whole


def test_a_run_a_model_and_a_gguf_file_are_beaten_or_not(work: Path, tiny_folder: Path) -> None:
    named = "[base, {run: first}, {model: other, prompted: true}, {model: tiny.gguf, name: as gguf}, {examples: 3}]"
    done = run(work, tiny_folder, "many", named)
    assert done.code == 0, done.err
    names = ["base", "run first", "other, prompted", "as gguf", "3 examples"]
    verdict, arms = read(work, "many", "verdict.json"), read(work, "many", "arms.json")
    assert [one["opponent"] for one in verdict["task"]["comparisons"]] == arms["opponents"] == names
    items = items_of(work, "many")
    answers = {arm: {one["id"]: one["output"] for one in items if one["arm"] == arm} for arm in (*names, "tuned")}
    assert len({tuple(sorted(own)) for own in answers.values()}) == 1, "all arms answer the same rows"
    assert answers["as gguf"] == answers["base"], "the same weights in another file"
    ours = {one["id"]: one["output"] for one in items_of(work, "first") if one["arm"] == "tuned"}
    assert answers["run first"] == ours, "that run's specialist answers as it did there"
    assert list(dict.fromkeys(one["arm"] for one in items))[-1] == "tuned"
    others = arms["others"]
    assert others["run first"]["weights"] == read(work, "first", "arms.json")["identity"]["weights"]
    assert others["other, prompted"]["model"] != others["as gguf"]["model"]
    assert "<|im_start|>assistant" in others["other, prompted"]["prompt"]
    assert arms["fixed"]["3 examples"]["examples"] == 3
    assert {trial["examples"] for trial in arms["fixed"]["3 examples"]["chosen_on_dev"]} == {3}
    assert "learnt from" not in done.out
    page = (work / "runs" / "many" / "verdict.md").read_text("utf-8")
    assert "the base model with 3 examples" in page
    assert "## The prompt of the opponent other, prompted" in page
    same = burnish("evaluate", work / "runs" / "many")
    assert same.code == 0, same.err
    assert "evaluate: done before" in same.out, "its own recipe names the models absolutely, and means the same"
    whole = interrupt(work, "many")
    again = run(work, tiny_folder, "many", named)
    assert again.code == 0, again.err
    assert (work / "runs" / "many" / "items.jsonl").read_bytes() == whole


def test_an_address_is_asked_once_for_each_row(work: Path, tiny_folder: Path) -> None:
    def handle(seen: Seen) -> Said:
        return chat_answer("blue" if "sky" in seen.body["messages"][-1]["content"] else "no")

    with http_server(handle) as (address, seen):
        named = f"[base, {{address: '{address}', model: tall}}, {{address: '{address}', model: tall, prompted: true}}]"
        done = run(work, tiny_folder, "served", named)
        assert done.code == 0, done.err
        items = items_of(work, "served")
        rows = [one for one in items if one["arm"] == "tall at 127.0.0.1"]
        assert all((one["scores"]["correct"] == 1.0) == ("sky" in one["prompt"]) for one in rows)
        bodies = [one.body for one in seen]
        assert len(bodies) == 2 * len(rows)
        assert {(body["model"], body["temperature"], body["max_tokens"]) for body in bodies} == {("tall", 0, 4)}
        assert sum(len(body["messages"]) == 1 for body in bodies) >= len(rows), "unprompted, the row as it is"
        known = read(work, "served", "arms.json")["others"]
        assert known["tall at 127.0.0.1"]["address"] == address
        assert "winner" in known["tall at 127.0.0.1, prompted"]
        whole = interrupt(work, "served")
        again = run(work, tiny_folder, "served", named.replace("model: tall}", "model: tall, timeout_s: 9}"))
        assert again.code == 0, again.err
        assert len(seen) == 2 * len(rows), "nothing is asked twice, and more patience is no other opponent"
    assert (work / "runs" / "served" / "items.jsonl").read_bytes() == whole


def test_a_server_that_is_gone_is_an_error_in_plain_words_and_answers_are_kept(work: Path, tiny_folder: Path) -> None:
    with http_server(lambda _: Said({"error": "no such model"}, 404)) as (address, _):
        failed = run(work, tiny_folder, "gone", f"[base, {{address: '{address}', model: tall}}]")
    assert failed.code == 3
    assert "refuses to answer" in failed.err
    assert "evaluate.opponents: model" in failed.err
    assert (work / "runs" / "gone" / "adapter").exists()


@pytest.mark.parametrize(
    ("opponents", "more", "says"),
    [
        ("[{run: nowhere}]", (), "no run that was trained"),
        ("[{run: early}]", (), "no run that was trained"),
        ("[{model: nowhere}]", (), "no such model"),
        ("[{address: 'http://127.0.0.1:1/v1', model: m}]", ("--set", "evaluate.metric=loss"), "an address gives texts"),
        ("[{address: 'http://127.0.0.1:1/v1', model: m, key_from: NOT_SET_HERE}]", (), "NOT_SET_HERE is not set"),
        ("[{address: 'http://example.org/v1', model: m, key_from: NOT_SET_HERE}]", (), "in the open"),
        ("[{address: 'http://127.0.0.1:1/v1', model: m, key_from: sk-Canary1}]", (), "never the key itself"),
        ("[{model: other, run: first}]", (), "Unknown key `evaluate.opponents.0.model`"),
        ("[{rum: first}]", (), "an opponent is base"),
        ("[best]", (), "evaluate.opponents"),
    ],
)
def test_an_opponent_that_cannot_take_part_is_told_before_anything_runs(
    work: Path, tiny_folder: Path, opponents: str, more: tuple[str, ...], says: str
) -> None:
    refused = run(work, tiny_folder, "early", opponents, *more)
    assert refused.code in (2, 3)
    assert says in refused.err
    assert "Canary" not in refused.err
    assert not (work / "runs" / "early").exists()


def test_another_tokenizer_has_no_loss_to_compare(work: Path, tiny_folder: Path) -> None:
    refused = run(work, tiny_folder, "tokens", "[{model: other}]", "--set", "evaluate.metric=loss")
    assert refused.code == 2
    assert "another tokenizer" in refused.err
    assert not (work / "runs" / "tokens" / "adapter").exists()
    same = run(work, tiny_folder, "tokens", "[{model: tiny.gguf}]", "--set", "evaluate.metric=loss")
    assert same.code == 0, same.err


def test_more_examples_than_fit_are_refused(work: Path, tiny_folder: Path) -> None:
    refused = run(work, tiny_folder, "crowd", "[{examples: 64}]")
    assert refused.code == 2
    assert "no room for so many" in refused.err


def test_an_address_that_fails_in_the_middle_is_asked_only_for_the_rest(work: Path, tiny_folder: Path) -> None:
    broken = True

    def handle(seen: Seen) -> Said:
        return Said({"error": "gone"}, 410) if broken and len(asked) > 5 else chat_answer("red")

    with http_server(handle) as (address, asked):
        named = f"[base, {{address: '{address}', model: m, concurrent: 1}}]"
        failed = run(work, tiny_folder, "broken", named)
        assert failed.code == 3
        assert "HTTP 410" in failed.err
        broken = False
        before = len(asked)
        done = run(work, tiny_folder, "broken", named)
        assert done.code == 0, done.err
        rows = sum(one["arm"] == "m at 127.0.0.1" for one in items_of(work, "broken"))
        assert before >= 6
        assert len(asked) - before == rows - 5, "five answers were kept"


def test_samples_are_asked_for_with_their_seeds(work: Path, tiny_folder: Path) -> None:
    drawn = ("--set", "evaluate.temperature=0.7", "--set", "evaluate.samples=2")
    with http_server(lambda seen: chat_answer("red" if seen.body["seed"] % 2 else "blue")) as (address, asked):
        done = run(work, tiny_folder, "drawn", f"[base, {{address: '{address}', model: m}}]", *drawn)
    assert done.code == 0, done.err
    rows = [one for one in items_of(work, "drawn") if one["arm"] == "m at 127.0.0.1"]
    seeds = [one.body["seed"] for one in asked]
    assert len(seeds) == len(set(seeds)) == 2 * len(rows)
    assert {one.body["temperature"] for one in asked} == {0.7}
    assert all(len(one["samples"]) == 2 for one in rows)
    again = burnish("verdict", work / "runs" / "drawn", "--recompute")
    assert again.code == 0, again.err
    assert "times with other seeds" in (work / "runs" / "drawn" / "verdict.md").read_text("utf-8")
    assert "times with other seeds" in (work / "runs" / "drawn" / "report.html").read_text("utf-8")


def test_of_pairs_other_weights_prefer_too_and_an_address_cannot(work: Path, tiny_folder: Path) -> None:
    lines = [{"prompt": f"is {n} odd?", "chosen": f"{n} is odd", "rejected": "even"} for n in range(60)]
    (work / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    more = ("--data", work / "pairs.jsonl", "--set", "objective=dpo")
    address = "{address: 'http://127.0.0.1:1/v1', model: m}"
    for name, opponents, says in (
        ("pairs-a", f"[base, {address}]", "preference pairs"),
        ("pairs-b", "[base, {examples: 2}]", "ask no question"),
    ):
        refused = run(work, tiny_folder, name, opponents, *map(str, more))
        assert refused.code == 2
        assert says in refused.err
        assert not (work / "runs" / name / "adapter").exists()
    done = run(work, tiny_folder, "pairs", "[base, {model: other}]", *map(str, more))
    assert done.code == 0, done.err
    assert {one["opponent"] for one in read(work, "pairs", "verdict.json")["task"]["comparisons"]} == {"base", "other"}


def test_plain_text_is_read_by_models_of_the_same_tokens_alone(work: Path, tiny_folder: Path) -> None:
    lines = [{"text": f"the {n}th day was a good day for a walk in the sun"} for n in range(60)]
    (work / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    data = ("--data", str(work / "texts.jsonl"))
    refused = run(work, tiny_folder, "texts", "[base, {model: other}]", *data)
    assert refused.code == 2
    assert "another tokenizer" in refused.err
    done = run(work, tiny_folder, "texts", "[base, prompted, {model: tiny.gguf}]", *data)
    assert done.code == 0, done.err
    items = items_of(work, "texts")
    losses = {arm: [one["scores"]["loss"] for one in items if one["arm"] == arm] for arm in ("base", "tiny.gguf")}
    assert losses["base"] == pytest.approx(losses["tiny.gguf"], abs=1e-5)


def test_a_run_with_all_weights_trained_is_an_opponent(work: Path, tiny_folder: Path) -> None:
    assert run(work, tiny_folder, "whole", "[base]", "--set", "adapt=full").code == 0
    done = run(work, tiny_folder, "against", "[{run: whole, name: in use}]")
    assert done.code == 0, done.err
    ours = {one["id"]: one["output"] for one in items_of(work, "whole") if one["arm"] == "tuned"}
    assert {one["id"]: one["output"] for one in items_of(work, "against") if one["arm"] == "in use"} == ours


def test_an_opponent_that_learnt_rows_of_this_test_is_named(work: Path, tiny_folder: Path) -> None:
    done = run(work, tiny_folder, "split", "[base, {run: first}]", "--set", "data.seed=3")
    assert done.code == 0, done.err
    assert "learnt from" in done.out


def test_a_request_that_a_server_refuses_is_an_empty_answer_and_it_is_said(work: Path, tiny_folder: Path) -> None:
    def handle(seen: Seen) -> Said:
        snow = "snow" in seen.body["messages"][-1]["content"]
        return Said({"error": "context length exceeded"}, 400) if snow else chat_answer("green")

    with http_server(handle) as (address, _):
        done = run(work, tiny_folder, "refusing", f"[base, {{address: '{address}', model: m}}]")
    assert done.code == 0, done.err
    assert "which count as empty: HTTP 400" in done.out
    rows = [one for one in items_of(work, "refusing") if one["arm"] == "m at 127.0.0.1"]
    assert all((one["output"] == "") == ("snow" in one["prompt"]) for one in rows)
