"""The data stage with rows that a model makes: where they come from, where they go, and what is counted."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from burnish.core.asking import Answer, Asked, Model, Writer
from burnish.core.errors import DataError
from burnish.core.records import Chat, Row
from burnish.core.run_folder import RunFolder
from burnish.data.card import DataCard, limits, markdown, read_card
from burnish.data.prepare import prepare
from burnish.data.rows import read_rows
from burnish.data.settings import DataSettings
from tests.unit.data.test_prepare import files, lengths

THINGS = ("lamp", "kettle", "wardrobe", "bicycle", "carpet", "mirror", "guitar", "teapot", "blanket", "hammer")
TOWNS = ("Bremen", "Krakow", "Lyon", "Porto")
Reply = Callable[[str], str]


def question(thing: str, town: str) -> str:
    return f"When will the {thing} that I ordered arrive at my house in {town}?"


def reworded(given: str) -> str:
    """Other words, in another order."""
    words = given.split()
    return f"My house in {words[-1].strip('?')} awaits a {words[3]}: which day will it be?"


def quoted(asked: Asked) -> str:
    """The text that a request for a paraphrase is about."""
    return asked.messages[-1].content.partition('"')[2].rpartition('"')[0]


def writer(reply: Reply, heard: list[str] | None = None) -> Callable[[str], Writer]:
    def ask(asked: Sequence[Asked]) -> Iterator[Answer]:
        for one in asked:
            if heard is not None:
                heard.append(quoted(one))
            yield Answer(reply(quoted(one)))

    return lambda name: Writer(Model(name, sha256="of the tests"), ask)


def run(
    folder: Path,
    grow: dict[str, Any],
    reply: Reply,
    heard: list[str] | None = None,
    *,
    say: Callable[[str], None] = lambda _: None,
    **more: Any,
) -> tuple[DataCard, RunFolder]:
    table = folder / "t.jsonl"
    if not table.exists():
        rows = [{"prompt": question(thing, town), "completion": f"{town} time"} for thing in THINGS for town in TOWNS]
        table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_folder = RunFolder(folder / "run")
    settings = DataSettings.model_validate(
        {"train": "t.jsonl", "duplicates": {"threshold": 0.95, "few_words": 0}, "grow": {"model": "m", **grow}} | more
    )
    card = prepare(
        settings, run_folder, base=folder, seed=0, lengths_of=lengths, context=1000, say=say,
        local_writer=writer(reply, heard),
    )  # fmt: skip
    return card, run_folder


def asked(rows: list[Row]) -> set[str]:
    return {row.prompt[-1].content for row in rows if isinstance(row, Chat)}


def test_rows_are_made_from_train_alone_and_go_to_train_alone(tmp_path: Path) -> None:
    heard: list[str] = []
    card, folder = run(tmp_path, {"paraphrase": 1}, reworded, heard)
    train, dev, test = map(read_rows, (folder.train, folder.dev, folder.test))
    made = [row for row in train if row.id.endswith("-made")]
    assert made
    assert not [row for row in (*dev, *test) if row.id.endswith("-made")]
    assert set(heard) == asked([row for row in train if row not in made])
    groups = {row.source: row.group for row in train}
    assert all(row.group == groups[row.source.removeprefix("paraphrase of ")] for row in made)
    assert len({row.id for row in train}) == len(train) == card.parts["train"].rows


def test_rows_in_and_made_are_rows_written_and_dropped(tmp_path: Path) -> None:
    card, folder = run(tmp_path, {"paraphrase": 1}, lambda text: "" if "Lyon" in text else reworded(text))
    written = sum(len(read_rows(path)) for path in (folder.train, folder.dev, folder.test))
    dropped = [json.loads(line) for line in folder.dropped.read_text("utf-8").splitlines()]
    assert card.rows_in + card.rows_made == written + len(dropped)
    assert card.dropped["made"]["made_empty"] == sum(one["reason"] == "made_empty" for one in dropped) > 0
    made = [json.loads(line) for line in folder.made.read_text("utf-8").splitlines()]
    assert card.grown == {"paraphrase": len(made)}
    assert card.made_by == {"m": len(made)}
    assert {one["id"] for one in made} == {row.id for row in read_rows(folder.train) if row.id.endswith("-made")}
    assert read_card(folder.data_card) == card


def test_the_card_says_so_and_counts_their_tokens(tmp_path: Path) -> None:
    card, folder = run(tmp_path, {"paraphrase": 1}, reworded)
    text = markdown(card)
    assert f"40 rows in + {card.rows_made} more by a model, used or not = " in text
    assert f"Rows of train that m wrote: {card.grown['paraphrase']}." in text
    assert any("a model wrote (m)" in sentence for sentence in limits(card))
    train = read_rows(folder.train)
    assert card.parts["train"].tokens.total == sum(length.tokens for length in lengths(train))
    assert card.parts["train"].groups == len({row.group for row in train})


def test_a_second_time_the_same_bytes_come_without_asking(tmp_path: Path) -> None:
    first = files(run(tmp_path, {"paraphrase": 2}, reworded)[1])
    heard: list[str] = []
    assert files(run(tmp_path, {"paraphrase": 2}, reworded, heard)[1]) == first
    assert not heard


def test_a_made_row_that_gives_away_the_test_is_left_out(tmp_path: Path) -> None:
    """The writer knows the test by heart and says nothing else."""
    _, folder = run(tmp_path, {"paraphrase": 1}, reworded)
    secrets = sorted(asked(read_rows(folder.test)))
    folder.replies.unlink()

    def give_away(text: str) -> str:
        return next((one for one in secrets if one.split()[-1] == text.split()[-1]), secrets[0])

    card, folder = run(tmp_path, {"paraphrase": 1}, give_away)
    assert card.dropped["made"]["made_leak"] > 0
    assert not asked(read_rows(folder.train)) & set(secrets)


def test_a_made_row_that_holds_an_item_of_a_benchmark_is_left_out(tmp_path: Path) -> None:
    items = [{"prompt": reworded(question(thing, town)), "completion": "x"} for thing in THINGS for town in TOWNS]
    (tmp_path / "bench.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    card, _ = run(tmp_path, {"paraphrase": 1}, reworded, decontaminate=["bench.jsonl"])
    assert card.dropped["made"] == {"made_leak": card.rows_made}


def test_what_the_model_cannot_read_whole_or_a_person_struck_out_is_left_out(tmp_path: Path) -> None:
    _, folder = run(tmp_path, {"paraphrase": 1}, reworded)
    one = next(row.id for row in read_rows(folder.train) if row.id.endswith("-made"))
    (tmp_path / "review.csv").write_text(f"id,keep_or_drop\n#{one},drop\n")
    said: list[str] = []
    card, folder = run(tmp_path, {"paraphrase": 1}, reworded, say=said.append, review="review.csv")
    assert not [line for line in said if "there no more" in line]
    assert card.dropped["made"]["review_drop"] == 1
    assert one not in {row.id for row in read_rows(folder.train)}


def test_a_rewritten_answer_takes_the_place_of_its_origin_where_asked(tmp_path: Path) -> None:
    rows = [
        {"prompt": question(thing, town), "completion": f"The {thing} will be in {town} on Monday, dear customer."}
        for thing in THINGS
        for town in TOWNS
    ]  # fmt: skip
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def ask(asked: Sequence[Asked]) -> Iterator[Answer]:
        for one in asked:
            answer = one.messages[-1].content.rpartition("Answer:\n")[2]
            yield Answer(answer.replace(", dear customer", ""))

    folder = RunFolder(tmp_path / "run")
    grow = {"model": "m", "rewrite": "Leave out the salutation.", "rewritten": "instead"}
    card = prepare(
        DataSettings.model_validate({"train": "t.jsonl", "grow": grow}), folder, base=tmp_path, seed=0,
        lengths_of=lengths, context=1000, say=lambda _: None, local_writer=lambda name: Writer(Model(name), ask),
    )  # fmt: skip
    train = read_rows(folder.train)
    assert all(row.id.endswith("-made") and "dear" not in row.answer for row in train if isinstance(row, Chat))
    assert card.dropped["train"]["rewritten"] == len(train) == card.grown["rewrite"]
    assert all("dear" in row.answer for row in read_rows(folder.test) if isinstance(row, Chat))


def test_questions_come_from_documents_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mill.md").write_text("# Mill\n\nThe mill in Ahlen grinds flour on Tuesday and Friday.\n")
    reply = "Q: On which days does the mill in Ahlen grind flour?\nA: On Tuesday and Friday."
    card, folder = run(tmp_path, {"questions": 1, "documents": "notes"}, lambda _: reply)
    (made,) = [row for row in read_rows(folder.train) if row.id.endswith("-made")]
    assert made.source == "question on mill.md:1"
    assert card.grown == {"question": 1}


def test_nobody_is_asked_and_nothing_is_written_by_default(tmp_path: Path) -> None:
    heard: list[str] = []
    card, folder = run(tmp_path, {"model": None}, reworded, heard)
    assert not heard
    assert (card.rows_made, card.made_by) == (0, {})
    assert not folder.made.exists()
    assert not folder.replies.exists()


def test_a_local_model_needs_somebody_to_ask_it(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("".join(f'{{"prompt": "Ticket {n}", "completion": "x"}}\n' for n in range(40)))
    settings = DataSettings.model_validate({"train": "t.jsonl", "grow": {"model": "m", "paraphrase": 1}})
    with pytest.raises(DataError, match="Nobody here can ask"):
        prepare(settings, RunFolder(tmp_path / "r"), base=tmp_path, seed=0, lengths_of=lengths, context=1000,
                say=lambda _: None)  # fmt: skip
