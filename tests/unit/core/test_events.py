from __future__ import annotations

import json
from pathlib import Path

import pytest

from burnish.core.events import first_broken_line, record_event
from burnish.core.files import read_jsonl


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    for number, what in enumerate(("prepare begins", "prepare ends", "train begins")):
        record_event(path, what, number=number)
    return path


def test_an_untouched_chain_holds(chain: Path) -> None:
    events = read_jsonl(chain)
    assert [event["what"] for event in events] == ["prepare begins", "prepare ends", "train begins"]
    assert events[0]["before"] == "0" * 64
    assert first_broken_line(chain) is None


def test_a_changed_line_shows_in_the_line_after_it(chain: Path) -> None:
    chain.write_text(chain.read_text().replace('"number": 1', '"number": 7'))
    assert first_broken_line(chain) == 3


def test_a_removed_line_shows(chain: Path) -> None:
    lines = chain.read_text().splitlines(keepends=True)
    chain.write_text(lines[0] + lines[2])
    assert first_broken_line(chain) == 2
    chain.write_text("".join(lines[1:]))
    assert first_broken_line(chain) == 1


@pytest.mark.parametrize("text", ["{\n", "[]\n", '{"what": "no link"}\n', "7\n"])
def test_a_line_that_is_no_event_is_named_and_not_raised(chain: Path, text: str) -> None:
    chain.write_text(chain.read_text() + text)
    assert first_broken_line(chain) == 4


def test_the_chain_goes_on_after_a_line_that_a_crash_cut_short(chain: Path) -> None:
    chain.write_bytes(chain.read_bytes()[:-20])
    record_event(chain, "train goes on")
    assert [json.loads(line)["what"] for line in chain.read_text().splitlines()][-1] == "train goes on"
    assert first_broken_line(chain) is None
