from __future__ import annotations

from burnish.evals.progress import ticker


def test_the_end_is_said_and_quick_steps_are_not() -> None:
    said: list[str] = []
    tick = ticker(said.append, "task, base", 3)
    for count in (1, 2, 3):
        tick(count)
    assert said == ["task, base: 3 of 3, 0 s"]
