"""From what a recipe names as opponents to those who answer: runs, models, addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from burnish.core.asking import Model, Writer
from burnish.core.http_json import Keys, Server
from burnish.data.card import read_card
from burnish.data.rows import read_rows
from burnish.evals.contenders import Contender, Local, Served, check_contenders
from burnish.evals.opponent_settings import AddressOpponent, ModelOpponent, Other, RunOpponent
from burnish.evals.task_data import metric_to_use
from burnish.model.decoder import Decoder
from burnish.pipeline.answering import ready
from burnish.pipeline.workshop import Workshop

Say = Callable[[str], None]


def check_named(shop: Workshop) -> None:
    """Whether all that is named is there: before hours of training, and before anything is asked.

    Raises RecipeError: no such run, or it is not trained; an address where likelihoods decide. ModelError: no such
    model. DataError: the variable of a key is not set.
    """
    for other in shop.others.values():
        _ = other.path
    decided_by = "loss" if shop.evaluation.metric.type == "loss" else "answers"
    if shop.recipe.objective.type == "dpo":
        decided_by = "pairs"
    served = [_served(shop, one) for one in shop.recipe.evaluate.others if isinstance(one, AddressOpponent)]
    check_contenders(served, None, decided_by=decided_by, example_counts={})


def check_with_data(shop: Workshop) -> None:
    """The same once the data is ready, which tells what decides. Test is not opened. Raises RecipeError."""
    settings = shop.evaluation
    if not settings.others and not settings.example_counts:
        return
    metric = metric_to_use(shop.run, settings)
    if metric is None:
        decided_by = "pairs" if "pair" in read_card(shop.run.data_card).kinds else "texts"
    else:
        decided_by = "loss" if metric.type == "loss" else "answers"
    contenders = [_contender(shop, one) for one in settings.others]
    check_contenders(contenders, shop.renderer, decided_by=decided_by, example_counts=settings.example_counts)


def find_contenders(shop: Workshop, say: Say) -> list[Contender]:
    """All opponents with weights of their own. None is loaded and nothing is sent before it is asked."""
    contenders = []
    for one in shop.recipe.evaluate.others:
        contenders.append(_contender(shop, one))
        if isinstance(one, AddressOpponent) and one.sends_away:
            say(f"the opponent `{one.arm}` is asked at {one.address}: questions of test leave this machine")
        if isinstance(one, RunOpponent) and (seen := _learnt_of_test(shop, shop.others[one.arm])):
            say(f"the opponent `{one.arm}` learnt from {seen} rows of this test: it is stronger here than elsewhere")
    return contenders


def _contender(shop: Workshop, one: Other) -> Contender:
    if isinstance(one, AddressOpponent):
        return _served(shop, one)
    other = shop.others[one.arm]
    prompted = isinstance(one, ModelOpponent) and one.prompted
    tuned = isinstance(one, RunOpponent)
    return Local(one.arm, identity_of(one, other), other.renderer, other.context, _opener(other, tuned), prompted)


def identity_of(one: Other, other: Workshop) -> dict[str, Any]:
    """Who that is, by the hashes of its files."""
    if isinstance(one, RunOpponent):
        return {"kind": "run", "run": one.run, "model": other.model_hash, "weights": other.weights_hash()}
    return {"kind": "model", "name": other.path.name, "model": other.model_hash}


def hashes(shop: Workshop) -> dict[str, str]:
    """For the inputs of the stage: what would make an opponent on this machine another one."""
    named = {one.arm: one for one in shop.recipe.evaluate.others}
    known = {arm: identity_of(named[arm], other) for arm, other in shop.others.items()}
    return {f"opponent {arm}": f"{one['model']} {one.get('weights', '')}".strip() for arm, one in known.items()}


def _served(shop: Workshop, one: AddressOpponent) -> Served:
    from burnish.core.openai import key_from, openai_asker  # sockets and TLS

    place = "evaluate.opponents"
    keys = Keys(
        address=f"{place}: address",
        model=f"{place}: model",
        key=f"{place}: key_from",
        timeout=f"{place}: timeout_s",
        length="evaluate.max_new_tokens",
    )
    server = Server(one.address, key_from(one.key_from, where=keys.key), one.timeout_s, keys=keys)
    model = Model(one.model, address=one.address)
    writer = Writer(model, openai_asker(server, model, concurrent=one.concurrent))
    identity = {"kind": "address", "address": one.address, "model": one.model}
    return Served(one.arm, identity, writer, shop.run.asked, one.prompted)


def _opener(other: Workshop, tuned: bool) -> Callable[[], AbstractContextManager[Decoder]]:
    @contextmanager
    def opened() -> Iterator[Decoder]:
        _ = other.renderer  # made from the checkpoint, which is let go of
        yield ready(other.specialist() if tuned else other.base_decoder())
        other.forget_checkpoint()

    return opened


@contextmanager
def _nobody() -> Iterator[None]:
    """An address needs no weights here."""
    yield None


def openers(contenders: Sequence[Contender]) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
    """How the weights of each are loaded, by arm."""
    return {one.name: one.open if isinstance(one, Local) else _nobody for one in contenders}


def _learnt_of_test(shop: Workshop, other: Workshop) -> int:
    """Rows of this run's test that stood in the other run's train."""
    if not other.run.train.exists():
        return 0
    learnt = {row.id for row in read_rows(other.run.train)}
    return sum(row.id in learnt for row in read_rows(shop.run.test))
