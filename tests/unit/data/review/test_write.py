import dataclasses
import re
from html.parser import HTMLParser

import pytest

from burnish.core.errors import DataError
from burnish.core.records import Changed, Chat, Dropped, Flagged, Message, Row
from burnish.core.run_folder import RunFolder
from burnish.data.private.settings import PrivateSettings
from burnish.data.review.view import Token, TokenView
from burnish.data.review.write import write_review
from tests.unit.data.review.conftest import CARD_NUMBER, EMAIL, Write, ticket

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</pre></details><script>1</script>",
    '"><svg onload=alert(1)>',
    "{{ 7*7 }}{% include 'x' %}",
    "</style><script>1</script>",
    "\u202egpj.exe\x00\x1b[31m",
    "\ud800",
)


class Tags(HTMLParser):
    """Collects every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


def page_of(folder: RunFolder) -> str:
    show = TokenView("", "2 tokens, 1 learnt", (Token("<b>", learnt=False, special=True), Token("é", True, False)))
    return write_review(folder, private=PrivateSettings(), show_tokens=lambda row: [show]).page.read_text("utf-8")


def assert_inert(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert not {"script", "img", "iframe", "object", "embed", "link", "form", "base"} & set(tags.tags)
    for _, name, value in tags.attributes:
        assert not name.startswith("on")
        assert name not in ("style", "src")
        assert name != "href" or str(value).startswith("#")


def test_the_page_holds_all_sections_and_loads_nothing(eventful: RunFolder) -> None:
    page = page_of(eventful)
    for title in ("Your judgement", "Known limits", "What happened to rows", "As the model reads it", "Labels",
                  "Lengths and outliers", "Clusters of like rows", "Samples", "Files"):  # fmt: skip
        assert f"<h2>{title}</h2>" in page
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].replace("&#39;", "'").startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert "http://" not in page
    assert "https://" not in page
    assert_inert(page)


def test_what_happened_is_counted_with_its_place(eventful: RunFolder) -> None:
    page = page_of(eventful)
    for text in ("near_duplicate", "tickets.csv:71", "of tickets.csv:5", "the café is", "the cafÃ© is",
                 "tickets.csv:12", "the prompt has 10,000 characters", "contradictory_answer"):  # fmt: skip
        assert text in page
    assert "60 rows came in" in page


def test_nothing_private_is_shown(eventful: RunFolder) -> None:
    page = page_of(eventful)
    # a zero-width space stood inside the text before its repair, and after it the address would be known
    for secret in (EMAIL, EMAIL.split("@")[0], CARD_NUMBER, CARD_NUMBER[-4:]):
        assert secret not in page
    assert "[EMAIL_1]" in page
    assert "[CARD_1]" in page
    assert "(not shown: it holds the name of a person)" in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_any_place_stays_text(write_folder: Write, payload: str) -> None:
    plain = payload.replace("\ud800", "\\ud800")  # no file of ours can hold half a character as it is
    rows: list[Row] = [
        dataclasses.replace(ticket(number, plain, plain), source=f"{plain}:{number}", group="g") for number in range(20)
    ]
    row = rows[5]
    folder = write_folder(
        rows,
        dropped=[Dropped(plain, "not_csv", plain, plain), Dropped(plain, plain, plain, {plain: [plain]}),
                 Dropped(plain, "near_duplicate", plain, ticket(77, plain).to_json())],
        changed=[Changed(plain, row.id, "line_ends", plain, plain, plain + "x")],
        flagged=[Flagged(plain, row.id, "length_outlier", plain), Flagged(plain, row.id, "refusal", plain)],
        licence=plain,
        made_by={plain: 3},
    )  # fmt: skip
    page = page_of(folder)
    assert_inert(page)
    assert not set(page) & {"\u202e", "\x00", "\x1b"}
    assert "49{%" not in page


def test_a_large_row_takes_little_room_on_the_page(write_folder: Write) -> None:
    rows: list[Row] = [ticket(number, "word " * 20_000) for number in range(30)]
    long = Chat("f" * 16, tuple(Message("user" if n % 2 == 0 else "assistant", "x" * 9000) for n in range(200)))
    folder = write_folder([*rows, long], dropped=[Dropped("f:1", "missing_field", "", {"a": ["y" * 9000] * 500})])
    assert len(page_of(folder)) < 400_000


def test_an_error_of_the_template_is_said_in_place_of_the_tokens(eventful: RunFolder) -> None:
    def refuse(row: Row) -> list[TokenView]:
        raise DataError("The model's chat template refuses this conversation.")

    review = write_review(eventful, private=PrivateSettings(), show_tokens=refuse)
    assert "chat template refuses" in review.page.read_text("utf-8")


def test_a_folder_without_records_of_repairs_and_without_a_model_has_a_page(write_folder: Write) -> None:
    folder = write_folder()
    for path in (folder.dropped, folder.changed, folder.flagged):
        path.unlink()
    folder.test.write_text("", "utf-8")
    page = write_review(folder, private=PrivateSettings()).page.read_text("utf-8")
    assert "No row was dropped." in page
    assert "No model was at hand" in page
