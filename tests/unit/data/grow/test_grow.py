import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from burnish.core.asking import Answer, Ask, Asked, Model, Writer
from burnish.core.errors import DataError
from burnish.core.http_json import Server
from burnish.core.openai import openai_asker
from burnish.core.records import Chat, Dropped, Row, row_from_json
from burnish.data.cleaning.outcome import Cleaned, dropped_as
from burnish.data.cleaning.rows import clean_row
from burnish.data.cleaning.settings import CleanSettings
from burnish.data.grow.documents import Passage
from burnish.data.grow.grow import Clean, grow
from burnish.data.grow.made import Made
from burnish.data.grow.reasons import REASONS
from burnish.data.grow.settings import GrowSettings
from tests.serving import Said, Seen, chat, chat_answer, http_server

MODEL = Model("tall", address="http://127.0.0.1:1/v1")
ROWS = [
    chat("Where is my parcel from Monday?", "order_status", 0),
    chat("The lid of the blue pot is broken.", "defect_report", 1),
    chat("Please send the invoice 4711 again.", "invoice", 2),
]
REPLIES = {
    "parcel": "Has my parcel from Monday got lost?",
    "lid": 'In other words: "The blue pot\'s lid came broken."',
    "invoice": "Could the invoice 4711 be sent once more, please?",
}


def cleaned(row: Row) -> Cleaned:
    return clean_row(row, CleanSettings())


def speaker(replies: dict[str, str]) -> Ask:
    """Answers with the reply whose key stands in the last message."""

    def ask(asked: Sequence[Asked]) -> Iterator[Answer]:
        for one in asked:
            yield Answer(next(reply for key, reply in replies.items() if key in one.messages[-1].content))

    return ask


def run(
    tmp_path: Path,
    settings: GrowSettings,
    ask: Ask,
    *,
    rows: Sequence[Row] = ROWS,
    passages: Sequence[Passage] = (),
    clean: Clean = cleaned,
) -> list[Made | Dropped]:
    kept = tmp_path / "kept.jsonl"
    return list(grow(rows, passages, settings, Writer(MODEL, ask), kept=kept, seed=0, clean=clean))


def test_every_made_row_says_how_by_whom_and_from_what(tmp_path: Path) -> None:
    found = run(tmp_path, GrowSettings(model="m", paraphrase=1), speaker(REPLIES))
    made = {one.origin: one for one in found if isinstance(one, Made)}
    assert set(made) == {row.id for row in ROWS}
    for origin in ROWS:
        one = made[origin.id]
        assert isinstance(one.row, Chat)
        assert one.row.prompt[0].content in (*REPLIES.values(), "The blue pot's lid came broken.")
        assert one.row.answer == origin.answer
        assert one.row.group == origin.group
        assert one.row.source == f"paraphrase of {origin.source}"
        assert re.fullmatch("[0-9a-f]{16}-made", one.row.id)
        assert row_from_json(json.loads(json.dumps(one.row.to_json()))) == one.row
        assert one.to_json() == {
            "id": one.row.id,
            "kind": "paraphrase",
            "model": {"name": "tall", "address": "http://127.0.0.1:1/v1"},
            "from": {"id": origin.id, "source": origin.source},
            "instead": "",
        }


def test_the_same_run_again_makes_the_same_without_asking(tmp_path: Path) -> None:
    def nobody(asked: Sequence[Asked]) -> Iterator[Answer]:
        raise AssertionError(asked)

    settings = GrowSettings(model="m", paraphrase=2)
    assert run(tmp_path, settings, speaker(REPLIES)) == run(tmp_path, settings, nobody)


def test_there_are_never_more_than_the_most(tmp_path: Path) -> None:
    found = run(tmp_path, GrowSettings(model="m", paraphrase=5, most=2), speaker(REPLIES))
    assert sum(isinstance(one, Made) for one in found) == 2


def test_every_reply_that_is_not_used_has_a_reason(tmp_path: Path) -> None:
    replies = {"parcel": "Your parcel is on its way.", "lid": "", "invoice": "Please send the invoice 4712 again."}
    found = run(tmp_path, GrowSettings(model="m", paraphrase=1), speaker(replies))
    assert all(isinstance(one, Dropped) for one in found)
    assert {one.reason for one in found if isinstance(one, Dropped)} == {"made_answered", "made_empty", "made_numbers"}
    assert {one.reason for one in found if isinstance(one, Dropped)} <= set(REASONS)
    parcel = next(one for one in found if isinstance(one, Dropped) and one.reason == "made_answered")
    assert parcel.source == "paraphrase of tickets.csv:2"
    assert parcel.row == {"reply": "Your parcel is on its way."}


def test_questions_come_from_documents_and_have_their_place(tmp_path: Path) -> None:
    passage = Passage("The mill in Ahlen grinds flour on Tuesday and Friday.", "notes/mill.md:3", "mill")
    reply = (
        "Q: On which days does the mill in Ahlen grind flour?\nA: On Tuesday and Friday.\n"
        "Q: What does the text say?\nA: The mill grinds flour.\nQ: Who owns the mill?\nA: Nobody"
    )
    settings = GrowSettings(model="m", questions=3)
    found = run(tmp_path, settings, speaker({"mill": reply}), rows=[], passages=[passage])
    first, second, third = found
    assert isinstance(first, Made)
    assert (first.row.source, first.row.group, first.origin) == ("question on notes/mill.md:3", "mill", "")
    assert isinstance(second, Dropped)
    assert second.reason == "made_needs_document"
    assert isinstance(third, Dropped)
    assert third.reason == "made_not_in_document"


def test_of_a_list_that_was_cut_off_the_last_question_is_left_out(tmp_path: Path) -> None:
    passage = Passage("The mill in Ahlen grinds flour on Tuesday and Friday.", "mill.md:1", "mill")
    reply = (
        "Q: When does the mill in Ahlen grind?\nA: On Tuesday and Friday.\nQ: What does the mill in Ahlen grind?\nA: Fl"
    )
    settings = GrowSettings(model="m", questions=3)

    def cut(text: str) -> Ask:
        return lambda asked: [Answer(text, whole=False) for _ in asked]

    assert len(run(tmp_path / "a", settings, cut(reply), rows=[], passages=[passage])) == 1
    (only,) = run(tmp_path / "b", settings, cut(reply[:50]), rows=[], passages=[passage])
    assert isinstance(only, Dropped)
    assert only.reason in ("made_too_long", "made_not_parseable")


@pytest.mark.parametrize(("choice", "instead"), [("beside", ""), ("instead", "row0")])
def test_a_rewritten_answer_says_whether_it_takes_a_place(tmp_path: Path, choice: str, instead: str) -> None:
    row = chat("When do you open?", "We usually open the shop at 10 in the morning.", 0)
    settings = GrowSettings.model_validate({"model": "m", "rewrite": "Be brief.", "rewritten": choice})
    (made,) = run(tmp_path, settings, speaker({"shop": "The shop opens at 10 in the morning."}), rows=[row])
    assert isinstance(made, Made)
    assert made.instead == instead
    assert made.row.source == "rewriting of tickets.csv:2"


def test_a_doubt_that_the_origin_does_not_raise_leaves_the_row_out(tmp_path: Path) -> None:
    settings = GrowSettings(model="m", paraphrase=1)
    lost = {"parcel": "Has my parcel from Monday g\ufffdt lost?"}
    (dropped,) = run(tmp_path / "a", settings, speaker(lost), rows=ROWS[:1])
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "made_doubtful"
    assert dropped.detail.startswith("lost_characters")
    doubtful = replace(
        ROWS[0], messages=(ROWS[0].messages[0], replace(ROWS[0].messages[1], content="order\ufffdstatus"))
    )
    (made,) = run(tmp_path / "b", settings, speaker(REPLIES), rows=[doubtful])
    assert isinstance(made, Made)


def test_what_cleaning_drops_or_repairs_is_dropped_or_repaired_here_too(tmp_path: Path) -> None:
    settings = GrowSettings(model="m", paraphrase=1)
    (dropped,) = run(
        tmp_path, settings, speaker(REPLIES), rows=ROWS[:1], clean=lambda row: dropped_as(row, "too_long", "9 tokens")
    )
    assert isinstance(dropped, Dropped)
    assert (dropped.reason, dropped.source) == ("too_long", "paraphrase of tickets.csv:2")
    (made,) = run(
        tmp_path / "b", settings, speaker({"parcel": "Has my\u200b parcel from Monday got lost?"}), rows=ROWS[:1]
    )
    assert isinstance(made, Made)
    assert "\u200b" not in json.dumps(made.row.to_json(), ensure_ascii=False)


def test_nothing_to_make_rows_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to make rows from"):
        run(tmp_path, GrowSettings(model="m", questions=1), speaker({}))


def test_a_server_that_dies_half_way_loses_nothing(tmp_path: Path) -> None:
    """Rows are made through a real server that fails at the 20th request; the next run asks only for the rest."""
    rows = [chat(f"Where is my parcel number {n}, sent on Monday?", "order_status", n) for n in range(30)]
    asked: Counter[str] = Counter()

    def reply(broken: Callable[[], bool]) -> Callable[[Seen], Said]:
        def handle(seen: Seen) -> Said:
            text = seen.body["messages"][-1]["content"]
            if broken():
                return Said(b"<html>Bad gateway</html>", 502)
            asked[text] += 1
            return chat_answer(text.replace("Message", "In other words").replace("Where is", "Who has"))

        return handle

    settings = GrowSettings(model="m", paraphrase=1)
    with http_server(reply(lambda: len(asked) >= 20)) as (address, _):
        server = Server(address, retries=0)
        with pytest.raises(DataError, match="too busy"):
            run(tmp_path, settings, openai_asker(server, MODEL, concurrent=1), rows=rows)
    with http_server(reply(lambda: False)) as (address, _):
        found = run(tmp_path, settings, openai_asker(Server(address), MODEL), rows=rows)
    assert sum(isinstance(one, Made) for one in found) == 30
    assert len(asked) == 30
    assert set(asked.values()) == {1}
