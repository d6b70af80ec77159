from __future__ import annotations

import pytest

from burnish.adapt.settings import FullSettings
from burnish.core.errors import BurnishError
from burnish.train.profile import ATTENTION, BETWEEN, CASTS, LORA, OPTIMISER, OUTPUT, PARTS, PRODUCTS, profiled
from tests.unit.train.conftest import MakeRun


def milliseconds_of(lines: list[str]) -> dict[str, float]:
    """'LoRA    12.00 ms   3.4%' → {"LoRA": 12.0}"""
    return {line[:28].strip(): float(line[28:].split()[0]) for line in lines}


def test_the_parts_of_a_step_add_up_to_the_step(make_run: MakeRun) -> None:
    said: list[str] = []
    with profiled(said.append):
        make_run(steps=12, evaluate_every=100).train()
    parts = milliseconds_of(said)
    assert set(parts) == {*PARTS, "a step"}
    for part in (PRODUCTS, LORA, ATTENTION, OUTPUT, OPTIMISER, BETWEEN):
        assert parts[part] > 0, part
    assert parts[CASTS] == 0  # the base is frozen
    assert sum(parts[part] for part in PARTS) == pytest.approx(parts["a step"], rel=0.05, abs=0.1)  # rounded


def test_full_fine_tuning_has_no_adapter_to_spend_time_on(make_run: MakeRun) -> None:
    said: list[str] = []
    with profiled(said.append):
        make_run(adapt=FullSettings(), steps=12, evaluate_every=100).train()
    assert milliseconds_of(said)[LORA] == 0


def test_watching_changes_no_loss(make_run: MakeRun) -> None:
    watched, plain = make_run("watched"), make_run("plain")
    with profiled(lambda line: None):
        watched.train()
    plain.train()
    assert watched.run.metrics.read_bytes() == plain.run.metrics.read_bytes()


def test_a_step_of_several_passes_is_one_step(make_run: MakeRun) -> None:
    said: list[str] = []
    with pytest.raises(BurnishError) as caught, profiled(said.append):
        make_run(steps=2, rows_per_update=8, tokens_per_pass=32).train()
    assert caught.value.seen == "2 updates"  # with the trial before step 1 and the measuring on dev left out


def test_a_training_that_is_too_short_to_profile_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(BurnishError, match="too little training"), profiled(print):
        make_run(steps=2).train()
