from pathlib import Path

import pytest

from burnish.core.errors import BurnishError
from burnish.data.review.events import EXAMPLES, Events, read_events


def gathered(numbers: range, seed: int = 0) -> Events:
    events = Events()
    for number in numbers:
        events.add({"source": f"f:{number}", "reason": "refusal"}, seed)
    return events


def test_all_are_counted_and_a_few_drawn_whatever_their_order() -> None:
    forth, back = gathered(range(100)), gathered(range(99, -1, -1))
    assert forth.counts["refusal"] == 100
    drawn = [event["source"] for event in forth.examples("refusal")]
    assert len(drawn) == EXAMPLES
    assert sorted(drawn) == sorted(event["source"] for event in back.examples("refusal"))
    assert drawn != [event["source"] for event in gathered(range(100), seed=1).examples("refusal")]


def test_the_commonest_reason_comes_first() -> None:
    events = gathered(range(2))
    for number in range(3):
        events.add({"source": f"g:{number}", "reason": "other"}, 0)
    assert events.reasons == ["other", "refusal"]


def test_a_file_that_is_absent_holds_nothing_and_a_damaged_line_is_named(tmp_path: Path) -> None:
    assert list(read_events(tmp_path / "flagged.jsonl")) == []
    path = tmp_path / "dropped.jsonl"
    path.write_text('{"source": "f:1", "reason": "x"}\n{"source": "f:2"}\n', "utf-8")
    with pytest.raises(BurnishError) as raised:
        list(read_events(path))
    assert raised.value.where.endswith("dropped.jsonl:2")
