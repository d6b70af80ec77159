from __future__ import annotations

import json

from burnish.core import hardware


def test_the_machine_is_described_in_plain_json() -> None:
    described = json.loads(json.dumps(hardware.describe()))
    assert described["cores"] >= 1
    assert described["memory_gib"] > 0
    assert isinstance(described["fast_bf16"], bool)


def test_memory_is_no_more_than_the_machine_has() -> None:
    import psutil

    assert 2**26 < hardware.memory_bytes() <= psutil.virtual_memory().total


def test_fast_bf16_needs_one_of_the_named_instruction_sets() -> None:
    expected = bool(hardware.cpu_flags() & set(hardware.FAST_BF16_FLAGS))
    assert hardware.cpu_has_fast_bf16() is expected
