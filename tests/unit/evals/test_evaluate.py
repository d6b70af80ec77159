"""The whole stage on a tiny random model: what it writes, and that it writes the same again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch

from burnish.core.errors import DataError
from burnish.core.files import read_json
from burnish.core.records import Chat, Item, Message
from burnish.core.run_folder import RunFolder
from burnish.data.prepare import prepare
from burnish.data.settings import DataSettings
from burnish.evals.arms import Models
from burnish.evals.evaluate import evaluate
from burnish.evals.regrade import regrade
from burnish.evals.retention_settings import SUITES
from burnish.evals.settings import EvaluateSettings
from burnish.evals.verdict import judge_folder
from burnish.evals.verdict_records import Verdict
from burnish.evals.verdict_text import verdict_markdown
from burnish.graders.settings import CodeMetric, FunctionMetric
from burnish.model.checkpoint import read_checkpoint
from burnish.model.decoder import Decoder
from burnish.model.forest import Segment, plant
from burnish.model.load import build_decoder
from burnish.render.batch import Length
from burnish.render.renderer import Renderer, make_renderer
from tests.tiny import write_model

PUBLISHED = Path(__file__).parents[3] / "docs" / "generated" / "verdict.schema.json"
QUICK = EvaluateSettings(retention="off", examples=2, max_new_tokens=4)


@dataclass(frozen=True)
class Bench:
    """Base and tuned are two random networks with one tokenizer."""

    models: Models
    renderer: Renderer


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from make_bench(write_model(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def unsure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Networks that find all tokens about as likely, so that samples differ."""
    yield from make_bench(write_model(tmp_path_factory.mktemp("unsure"), tied=False))


def make_bench(folder: Path) -> Iterator[Bench]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the tensors are tiny
    checkpoint = read_checkpoint(folder)
    base = build_decoder(checkpoint.config, checkpoint.tensors, dtype=torch.float32, device=torch.device("cpu"))
    shifted = {name: tensor * 1.1 for name, tensor in checkpoint.tensors.items()}
    tuned = build_decoder(checkpoint.config, shifted, dtype=torch.float32, device=torch.device("cpu"))
    yield Bench(Models(lambda: opened(base), lambda: opened(tuned)), make_renderer(checkpoint.tokenizer))
    torch.set_num_threads(threads)


@contextmanager
def opened(decoder: Decoder) -> Iterator[Decoder]:
    yield decoder


@pytest.fixture
def labelled(tmp_path: Path) -> RunFolder:
    rows = [{"prompt": f"is {n} odd?", "completion": "odd" if n % 2 else "even"} for n in range(120)]
    return prepared(tmp_path, rows)


def prepared(tmp_path: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = (), **settings: Any) -> RunFolder:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = RunFolder(tmp_path / "run")
    folder.create()
    prepare(
        DataSettings(train="rows.jsonl", test_share=0.2, **settings), folder, base=tmp_path, seed=0, context=400,
        lengths_of=lambda rows: (Length(50, 5) for _ in rows), say=lambda line: None, columns=columns,
    )  # fmt: skip
    return folder


def run(folder: RunFolder, bench: Bench, settings: EvaluateSettings, **changed: Any) -> list[str]:
    said: list[str] = []
    given: dict[str, Any] = {"instructions": None, "seed": 0, "identity": {"model": "m"}, "say": said.append, **changed}
    evaluate(folder, settings, bench.models, bench.renderer, **given)
    return said


def judged(folder: RunFolder) -> Verdict:
    """The verdict, which is what the published schema allows."""
    verdict = judge_folder(folder)
    jsonschema.validate(json.loads(json.dumps(verdict.to_json())), json.loads(PUBLISHED.read_text("utf-8")))
    return verdict


def items_of(folder: RunFolder) -> list[Item]:
    return [Item.from_json(json.loads(line)) for line in folder.items.read_text("utf-8").split("\n") if line]


def test_all_arms_answer_the_same_rows_under_one_rule(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, QUICK)
    items, plan = items_of(labelled), read_json(labelled.arms)
    asked = {arm: [item.id for item in items if item.arm == arm] for arm in ("base", "prompted", "tuned")}
    assert asked["base"] == asked["prompted"] == asked["tuned"]
    assert len(asked["base"]) == plan["task"]["n"] == 24  # a fifth of 120 rows
    assert {tuple(item.scores) for item in items} == {("correct",)}
    assert plan["decoding"]["max_new_tokens"] == 4


def test_arms_json_says_how_the_opponent_was_chosen(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, QUICK)
    plan = read_json(labelled.arms)
    first = next(item for item in items_of(labelled) if item.arm == "prompted")
    prompted = plan["prompted"]
    assert prompted["prompt"].endswith("<|im_start|>assistant\n")
    assert first.prompt in prompted["prompt"]
    assert {trial["candidate"] for trial in prompted["chosen_on_dev"]} >= {prompted["winner"]["name"]}
    assert prompted["examples"] <= 2
    assert plan["identity"] == {"model": "m"}


def test_the_judge_can_read_what_was_written(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, EvaluateSettings(retention="short", opponents=("base",), max_new_tokens=2))
    verdict = judged(labelled)
    assert verdict.task.n == 24
    assert tuple(suite.suite for suite in verdict.memory.suites) == SUITES
    assert verdict.memory.drift is not None
    assert verdict.memory.drift.kl.n == read_json(labelled.arms)["drift"]["prompts"] == 30
    assert verdict.memory.drift.kl.mean > 0  # tuned is another network
    assert "**Drift**" in verdict_markdown(verdict, read_json(labelled.arms))


def test_suites_are_chosen_by_name_and_from_files(labelled: RunFolder, bench: Bench, tmp_path: Path) -> None:
    lines = [{"prompt": f"{n} and one is", "choices": [str(n + 1), str(n)], "answer": 0} for n in range(70)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    chosen = {"suites": ["refusals"], "extra": [{"file": str(tmp_path / "sums.jsonl"), "margin": 0.3}], "drift": False}
    run(labelled, bench, EvaluateSettings(retention=chosen, opponents=("base",), max_new_tokens=2))
    memory = judge_folder(labelled).memory
    assert [(suite.suite, suite.n, suite.metric) for suite in memory.suites] == [
        ("refusals", 253, "logprob_margin"), ("sums", 70, "logprob_margin"),
    ]  # fmt: skip
    assert (memory.suites[1].margin, memory.suites[1].margin_reason) == (0.3, "set in the recipe")
    assert read_json(labelled.arms)["suites"][1]["chance"] == 0.5
    assert memory.drift is None


def test_two_evaluations_write_the_same_bytes(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, QUICK)
    first = labelled.items.read_bytes(), labelled.arms.read_bytes()
    labelled.items.unlink()
    labelled.arms.unlink()
    run(labelled, bench, QUICK)
    assert (labelled.items.read_bytes(), labelled.arms.read_bytes()) == first


def test_it_goes_on_where_it_stopped_without_choosing_again(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, QUICK)
    whole = labelled.items.read_bytes()
    labelled.items.write_bytes(whole[: len(whole) // 2])
    said = run(labelled, bench, QUICK)
    assert labelled.items.read_bytes() == whole
    assert not any("choosing" in line for line in said)


@pytest.mark.parametrize("changed", [{"seed": 1}, {"identity": {"model": "other"}}, {"instructions": "Odd or even?"}])
def test_it_starts_again_when_anything_changed(labelled: RunFolder, bench: Bench, changed: dict[str, Any]) -> None:
    run(labelled, bench, QUICK)
    said = run(labelled, bench, QUICK, **changed)
    assert any("choosing" in line for line in said)
    assert len(items_of(labelled)) == 3 * 24


def test_a_part_of_the_test_rows_is_a_seeded_sample(labelled: RunFolder, bench: Bench) -> None:
    settings = QUICK.model_copy(update={"items": 7, "opponents": ("base",)})
    run(labelled, bench, settings)
    first = {item.id for item in items_of(labelled)}
    run(labelled, bench, settings, seed=3)
    assert len(first) == 7
    assert first != {item.id for item in items_of(labelled)}


def test_the_users_own_instructions_are_used(labelled: RunFolder, bench: Bench) -> None:
    settings = QUICK.model_copy(update={"examples": 0})
    run(labelled, bench, settings, instructions="Say whether the number is odd.")
    names = {trial["wording"] for trial in read_json(labelled.arms)["prompted"]["chosen_on_dev"]}
    assert names == {"given", "given and written"}


def test_free_text_also_gets_the_loss_of_the_expected_answer(tmp_path: Path, bench: Bench) -> None:
    rows = [
        {"prompt": f"tell me of {n}", "completion": f"there is much to say of {n}, and little of {n + 1}"}
        for n in range(120)
    ]
    folder = prepared(tmp_path, rows)
    run(folder, bench, QUICK)
    assert {tuple(item.scores) for item in items_of(folder)} == {("chrf", "exact", "answer_loss")}


def test_plain_text_is_read_by_base_and_tuned_alone(tmp_path: Path, bench: Bench) -> None:
    folder = prepared(tmp_path, [{"text": f"the {n}th day was a good day for a walk"} for n in range(120)])
    run(folder, bench, QUICK)
    plan = read_json(folder.arms)
    assert {(item.arm, tuple(item.scores)) for item in items_of(folder)} == {("base", ("loss",)), ("tuned", ("loss",))}
    assert plan["opponents"] == ["base"]
    assert plan["task"]["higher_is_better"] is False
    assert "no prompt" in plan["prompted"]["left_out"]


def pairs(n: int) -> list[dict[str, str]]:
    return [{"prompt": f"is {k} odd?", "chosen": f"{k} is odd", "rejected": "it is even"} for k in range(n)]


def test_of_a_pair_the_likelier_answer_is_the_output_and_right_when_it_is_the_chosen_one(
    tmp_path: Path, bench: Bench
) -> None:
    folder = prepared(tmp_path, pairs(120))
    run(folder, bench, EvaluateSettings(retention="off"))
    plan, items = read_json(folder.arms), items_of(folder)
    assert {item.arm for item in items} == {"base", "tuned"}
    assert plan["task"] == {"metric": "preference", "shape": "preference", "higher_is_better": True, "n": 24,
                            "texts_left_out": 0}  # fmt: skip
    assert "no prompt is searched" in plan["prompted"]["left_out"]
    with bench.models.base() as decoder:
        for item in items[:4]:
            number = item.prompt.split()[1]
            margin = 0.0
            for sign, answer in ((1, f"{number} is odd"), (-1, "it is even")):
                turns = (Message("user", item.prompt), Message("assistant", answer))
                row = bench.renderer.row(Chat("", turns))
                forest = plant([Segment(row.ids, row.weights)])
                with torch.no_grad():
                    margin += sign * float(decoder.logprobs(decoder.hidden(forest), forest).sum())
            assert item.scores["logprob_margin"] == pytest.approx(margin, abs=1e-4)
            assert item.scores["preference"] == float(margin > 0)
            assert item.expected == f"{number} is odd"
            assert item.output == (item.expected if margin > 0 else "it is even")
    assert judged(folder).task.metric == "preference"


def test_the_prompted_opponent_of_pairs_reads_the_users_instructions(tmp_path: Path, bench: Bench) -> None:
    folder = prepared(tmp_path, pairs(120))
    run(folder, bench, EvaluateSettings(retention="off"), instructions="Say what is odd.")
    plan, items = read_json(folder.arms), items_of(folder)
    assert plan["opponents"] == ["base", "prompted"]
    assert "Say what is odd." in plan["prompted"]["prompt"]
    margins = {
        arm: [item.scores["logprob_margin"] for item in items if item.arm == arm] for arm in ("base", "prompted")
    }
    assert margins["base"] != margins["prompted"]


def test_data_without_a_conversation_needs_no_longest_answer(tmp_path: Path, bench: Bench) -> None:
    folder = prepared(tmp_path, [{"text": f"the {n}th day was a good day for a walk"} for n in range(120)])
    run(folder, bench, EvaluateSettings(retention="off"))
    assert read_json(folder.arms)["decoding"]["max_new_tokens"] > 0


def test_an_empty_test_part_is_an_error(labelled: RunFolder, bench: Bench) -> None:
    labelled.test.write_text("")
    with pytest.raises(DataError, match="no row to test on"):
        run(labelled, bench, QUICK)


# --- Metrics that the recipe names ------------------------------------------------------------------------------------


def scored(folder: RunFolder, bench: Bench, metric: Any) -> tuple[dict[str, Any], list[Item]]:
    """The task of arms.json and the items of an evaluation by this metric."""
    settings = EvaluateSettings(metric=metric, retention="off", examples=1, max_new_tokens=4)
    run(folder, bench, settings)
    assert judged(folder).task.n == 24
    assert regrade(folder).differences == ()
    return read_json(folder.arms)["task"], items_of(folder)


def test_a_function_of_the_users_decides(labelled: RunFolder, bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "grade.py"
    file.write_text(
        "def short(output, expected, prompt):\n    return {'score': len(output), 'asked': 'odd' in prompt}\n"
    )
    metric = FunctionMetric(file=str(file), name="short", higher_is_better=False)
    task, items = scored(labelled, bench, metric)
    assert (task["metric"], task["higher_is_better"]) == ("score", False)
    assert all(item.scores == {"score": len(item.output), "asked": 1.0} for item in items)


def test_the_loss_of_expected_answers_needs_no_answer(labelled: RunFolder, bench: Bench) -> None:
    task, items = scored(labelled, bench, "loss")
    assert (task["metric"], task["higher_is_better"]) == ("answer_loss", False)
    assert {item.output for item in items} == {""}
    assert all(item.scores["answer_loss"] > 0 for item in items)


def test_programs_are_run_and_it_is_said(labelled: RunFolder, bench: Bench, tmp_path: Path) -> None:
    rows = [{"prompt": f"is {n} odd?", "tests": ["assert True"]} for n in range(120)]
    (tmp_path / "tests.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    metric = CodeMetric(tests_file=str(tmp_path / "tests.jsonl"), execute=True)
    settings = EvaluateSettings(metric=metric, retention="off", opponents=("base",), max_new_tokens=1, items=2)
    assert any("programs that the models write are run" in line for line in run(labelled, bench, settings))
    assert {tuple(item.scores) for item in items_of(labelled)} == {("passed", "tests_passed")}


def test_entities_of_the_prompt_are_recognised(bench: Bench, tmp_path: Path) -> None:
    names = ["Ada", "Emil", "Noor", "Ines"]
    rows = [
        {
            "prompt": f"{names[n % 4]} came at {n}.",
            "completion": json.dumps({"person": [names[n % 4]]} if n % 3 else {}),
        }
        for n in range(120)
    ]
    folder = prepared(tmp_path, rows)
    run(folder, bench, QUICK)
    plan = read_json(folder.arms)
    assert plan["task"]["metric"] == "entity_f1"
    assert '"person"' in plan["prompted"]["prompt"]
    assert "micro_f1" in judged(folder).task.arms[0].metrics


def test_a_metric_that_has_no_use_is_told(bench: Bench, tmp_path: Path) -> None:
    folder = prepared(tmp_path, [{"text": f"A text with the number {n} in it."} for n in range(120)])
    said = run(folder, bench, EvaluateSettings(metric="label", retention="off"))
    assert any("of no use here" in line for line in said)


def test_side_effects_are_told_from_the_items(tmp_path: Path, bench: Bench) -> None:
    rows = [{"prompt": f"is {n} odd?", "completion": "odd" if n % 2 else "even", "region": "ns"[n % 5 > 0]}
            for n in range(120)]  # fmt: skip
    folder = prepared(tmp_path, rows, ("region",), canaries=2)
    run(folder, bench, QUICK.model_copy(update={"groups": ("region",)}))
    effects = judged(folder).effects
    assert effects is not None
    assert [arm.arm for arm in effects.arms] == ["base", "prompted", "tuned"]
    for arm in effects.arms:
        assert arm.tokens is not None
        assert arm.tokens.longest <= 4
        assert set(arm.shares) == {"valid", "looping", "refused", "cut_off", "verbatim"}
    assert [(one.arm, one.n) for one in effects.calibration] == [("prompted", 24), ("tuned", 24)]
    assert [(one.arm, one.canaries) for one in effects.exposure] == [("base", 2), ("tuned", 2)]
    (column,) = effects.groups
    assert (column.column, sum(group.n for group in column.groups)) == ("region", 24)
    assert "number of locker" not in read_json(folder.arms)["prompted"]["prompt"]  # canaries are no examples


def test_a_column_that_no_test_row_has_is_refused(labelled: RunFolder, bench: Bench) -> None:
    with pytest.raises(DataError, match="column to group by"):
        run(labelled, bench, QUICK.model_copy(update={"groups": ("region",)}))


def test_what_was_graded_is_graded_alike_again(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, EvaluateSettings(retention="short", opponents=("base",), max_new_tokens=2))
    found = regrade(labelled)
    assert found.differences == ()
    assert found.graded == 48 + 2 * 60


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("number", lambda n: str(n * 37)),
        ("json", lambda n: json.dumps({"odd": bool(n % 2), "n": n})),
        ("text", lambda n: f"{n} is {'odd' if n % 2 else 'even'}, as everybody knows who can count to {n + 1}"),
    ],
)
def test_every_kind_of_answer_has_a_verdict_that_the_schema_allows(
    kind: str, answer: Callable[[int], str], bench: Bench, tmp_path: Path
) -> None:
    folder = prepared(tmp_path, [{"prompt": f"is {n} odd?", "completion": answer(n)} for n in range(120)])
    run(folder, bench, QUICK.model_copy(update={"opponents": ("base",)}))
    assert read_json(folder.arms)["task"]["shape"] == kind
    assert judged(folder).effects is not None


def test_the_schema_refuses_another_format(labelled: RunFolder, bench: Bench) -> None:
    run(labelled, bench, QUICK.model_copy(update={"opponents": ("base",)}))
    value = judged(labelled).to_json()
    schema = json.loads(PUBLISHED.read_text("utf-8"))
    for changed in ({**value, "schema": 2}, {key: inner for key, inner in value.items() if key != "schema"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, schema)


# --- Sampled answers --------------------------------------------------------------------------------------------------

SAMPLED = EvaluateSettings(retention="off", opponents=("base",), max_new_tokens=3, temperature=1.0, samples=3)


def test_each_row_is_answered_several_times_and_scored_by_the_mean(labelled: RunFolder, unsure: Bench) -> None:
    run(labelled, unsure, SAMPLED)
    items = items_of(labelled)
    assert {len(item.samples) for item in items} == {3}
    for item in items:
        assert item.output == item.samples[0].output
        assert item.scores["correct"] == sum(sample.scores["correct"] for sample in item.samples) / 3
    assert len({sample.output for item in items for sample in item.samples}) > 24, "seeds differ"
    task = judge_folder(labelled).task
    assert (task.n, [one.samples for one in task.sampling]) == (24, [3, 3])
    assert read_json(labelled.arms)["decoding"]["samples"] == 3


def test_an_interrupted_sampling_ends_with_the_same_bytes(tmp_path: Path, unsure: Bench) -> None:
    rows = [{"prompt": f"is {n} odd?", "completion": "odd" if n % 2 else "even"} for n in range(400)]
    folder = prepared(tmp_path, rows)
    run(folder, unsure, SAMPLED)
    whole = folder.items.read_bytes()
    folder.items.write_bytes(whole[: 2 * len(whole) // 3])
    run(folder, unsure, SAMPLED)
    assert folder.items.read_bytes() == whole


def test_a_sample_depends_on_its_row_and_not_on_the_rows_beside_it(labelled: RunFolder, unsure: Bench) -> None:
    run(labelled, unsure, SAMPLED)
    among_all = {(item.arm, item.id): item for item in items_of(labelled)}
    run(labelled, unsure, SAMPLED.model_copy(update={"items": 5}))
    few = items_of(labelled)
    assert len(few) == 10
    assert all(among_all[item.arm, item.id] == item for item in few)


def test_samples_at_temperature_0_are_refused() -> None:
    with pytest.raises(ValueError, match="no effect at temperature 0"):
        EvaluateSettings(samples=2)
