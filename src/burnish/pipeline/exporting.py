"""The export stage: hands the trained model, the test's prompts and the verdict's grader to deploy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from burnish.core.files import read_json
from burnish.core.records import Chat, Item, Message, Row, Text
from burnish.core.run_folder import RunFolder
from burnish.data.rows import read_rows
from burnish.deploy.card import write_card
from burnish.deploy.dense_merge import Trained
from burnish.deploy.export import export
from burnish.deploy.task import Task
from burnish.evals.regrade import task_grader
from burnish.pipeline.workshop import Workshop


def export_stage(shop: Workshop, say: Callable[[str], None]) -> None:
    """Writes export/ and card.md. Raises as `deploy.export.export` does."""
    settings = shop.recipe.export
    if not settings.forms:
        say("nothing to export")
        return
    rows = read_rows(shop.run.test)[: settings.parity_prompts]
    export(
        shop.run,
        settings,
        checkpoint=shop.checkpoint,
        specialist=shop.specialist(torch.float32, dense=True),
        renderer=shop.renderer,
        prompts=[_question(row) for row in rows],
        max_new_tokens=int(read_json(shop.run.arms)["decoding"]["max_new_tokens"]),
        say=say,
        trained=_as_trained(shop),
        task=_task(shop.run, rows),
    )
    write_card(shop.run)


def _as_trained(shop: Workshop) -> Trained | None:
    """The specialist on the rounded base that it was trained on. The blocks of a GGUF file are no such base: the dense
    one is made of them."""
    form = shop.recipe.model.weights
    return None if form in ("dense", "stored") else Trained(form, lambda: shop.specialist(torch.float32))


def _question(row: Row) -> tuple[Message, ...]:
    """What parity asks about a test row; of plain text, its beginning."""
    return (Message("user", row.text[:200]),) if isinstance(row, Text) else row.prompt


def _task(run: RunFolder, rows: Sequence[Row]) -> Task | None:
    """What grades the answers to these rows; None where no text is graded."""
    found = task_grader(run)
    chats = [row for row in rows if isinstance(row, Chat)]
    if found is None or len(chats) < len(rows):
        return None
    plan, grade = found

    def score(index: int, text: str) -> float:
        row = chats[index]
        return float(grade(Item("task", row.id, "form", "", row.answer, text))[plan.metric])

    return Task(plan.metric, score, plan.higher_is_better)
