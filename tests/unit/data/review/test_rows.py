from burnish.core.records import Chat, Message, Pair, Prompt, Rated, Text, ToolCall
from burnish.data.private.settings import PrivateSettings
from burnish.data.review.rows import FIRST_TURNS, LAST_TURNS, Doubts, row_view, texts
from burnish.data.review.words import as_it_is, hider
from tests.unit.data.review.conftest import EMAIL, ticket

ASKED = (Message("user", "Which?"),)


def test_what_is_learnt_is_marked_in_every_kind_of_row() -> None:
    said = (Message("assistant", "no", trained=False), Message("user", "Sure?"), Message("assistant", "yes"))

    def learnt(row: Chat | Text | Pair | Rated | Prompt) -> list[str]:
        return [text for _, _, text, learnt in texts(row) if learnt]

    assert learnt(Chat("1", (*ASKED, *said))) == ["yes"]
    assert learnt(Text("1", "all of it")) == ["all of it"]
    assert learnt(Pair("1", ASKED, "better", "worse")) == ["better"]
    assert learnt(Rated("1", ASKED, "fine", score=True)) == ["fine"]
    assert learnt(Prompt("1", ASKED, {"answer": "7"})) == []


def test_a_rating_and_a_call_of_a_tool_are_written_out() -> None:
    assert [role for _, role, _, _ in texts(Rated("1", ASKED, "fine", score=0.5))] == ["user", "answer, rated 0.5"]
    call = Chat("1", (*ASKED, Message("assistant", "", (ToolCall("find", '{"n": 1}'),))))
    assert '"find"' in list(texts(call))[1][2]


def test_of_a_long_conversation_the_beginning_and_the_end_are_shown() -> None:
    turns = tuple(Message("user" if n % 2 == 0 else "assistant", str(n)) for n in range(40))
    view = row_view(Chat("1", turns), "train", Doubts(), as_it_is)
    assert len(view.turns) == FIRST_TURNS + 1 + LAST_TURNS
    assert view.turns[FIRST_TURNS].text == "30 turns are not shown"
    assert view.turns[-1].text == "39"


def test_private_data_that_cannot_be_found_again_hides_its_whole_text() -> None:
    row = ticket(1, f"I am Ann Miller, {EMAIL}")
    doubts = Doubts()
    doubts.add({"id": row.id, "reason": "private_email", "detail": "messages.0.content, character 18"})
    hide = hider(PrivateSettings())
    assert row_view(row, "train", doubts, hide).turns[0].text == "I am Ann Miller, [EMAIL_1]"
    doubts.add({"id": row.id, "reason": "private_name", "detail": "messages.0.content, character 6"})
    view = row_view(row, "train", doubts, hide)
    assert view.turns[0].text == "(not shown: it holds the name of a person)"
    assert view.turns[1].text == "delivery"
    assert view.badges == ("private_email", "private_name")
