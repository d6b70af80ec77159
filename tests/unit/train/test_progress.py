from __future__ import annotations

import pytest

from burnish.train.progress import duration, training_progress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599.9, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_without_a_terminal_few_lines_are_said_and_the_last_step_always() -> None:
    said: list[str] = []
    with training_progress(100, 0, said.append) as report:
        for step in range(1, 101):
            report(step, "loss 1.000")
    assert len(said) == 1
    assert said[0].strip().startswith("step 100/100  loss 1.000")
