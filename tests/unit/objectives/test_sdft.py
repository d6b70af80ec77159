from __future__ import annotations

import torch

from burnish.adapt import methods
from burnish.objectives.sdft import SDFT, TERM, Told, reverse_divergence
from tests.unit.train.conftest import MakeRun, make_run  # noqa: F401 - a fixture

HINTS = ((5, 6, 7, 8, 9), (5, 6, 4, 4), (9, 9, 9, 1, 2, 3))
TOLD = [Told(0, (5, 6), (10, 11, 2)), Told(1, (5, 6, 4), (12, 2)), Told(2, (9, 9), (20, 21, 22, 2))]


def test_the_reverse_divergence_and_its_gradient_are_those_of_the_plain_formula() -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(5, 8, generator=generator, dtype=torch.float64) for _ in range(2))
    head = torch.randn(300, 8, generator=generator, dtype=torch.float64)
    weight = torch.randn(5, generator=generator, dtype=torch.float64)

    def plain(hidden: torch.Tensor) -> torch.Tensor:
        ours, theirs = (hidden @ head.T).log_softmax(-1), (teacher @ head.T).log_softmax(-1)
        return (ours.exp() * (ours - theirs)).sum(-1)

    one, other = (student.clone().requires_grad_() for _ in range(2))
    (reverse_divergence(one, teacher, head) * weight).sum().backward()
    (plain(other) * weight).sum().backward()
    torch.testing.assert_close(reverse_divergence(student, teacher, head), plain(student), rtol=0, atol=1e-10)
    torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-10)


def test_student_and_teacher_are_compared_at_the_same_words(make_run: MakeRun) -> None:  # noqa: F811
    decoder = make_run("a", dtype=torch.float64).decoder
    objective = SDFT(HINTS, methods.switched_off)
    rows = [(0, TOLD[0]), (1, TOLD[1]), (0, TOLD[0]), (2, TOLD[2])]  # an update over two epochs: row 0 comes twice
    together = objective.passes(rows, 1000)
    apart = objective.passes(rows, 1)
    assert len(together) == 1
    assert len(apart) == 4
    assert objective.counts(together) == objective.counts(apart) == {TERM: 12.0}
    sums = [
        sum(float(objective.terms(decoder, forest)[TERM].detach()) for forest in forests)
        for forests in (together, apart)
    ]
    assert abs(sums[0] - sums[1]) < 1e-9
    by_hand = 0.0
    for _, row in rows:
        logits = []
        for prompt in (row.prompt, HINTS[row.number]):
            forest = SDFT(HINTS, methods.switched_off).passes([(0, Told(0, prompt, row.said))], 1000)[0]
            logits.append(decoder.logits(decoder.hidden(forest)[forest.target_at_N]).double().log_softmax(-1))
        by_hand += float((logits[0].exp() * (logits[0] - logits[1])).sum())
    assert abs(sums[0] - by_hand) < 1e-4, "logits are float32"


def test_no_rows_are_no_forests() -> None:
    objective = SDFT(HINTS, methods.switched_off)
    assert objective.passes([], 10) == []
    assert objective.counts([]) == {TERM: 0.0}
