"""An adapter trained on a base in fewer bits and merged into the dense one: how far that is another model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from burnish.adapt.methods import switched_off
from burnish.deploy.answers import decoder_score, reference_answers, scored_by
from burnish.deploy.checks import Question
from burnish.deploy.parity import DENSE_MERGE, finding, score_measures
from burnish.model.decoder import Decoder

DENSE_BASE = "merged into the dense base"


@dataclass(frozen=True)
class Trained:
    """The network as training left it. `form`: what `model.weights` names. `network` makes it, in float32."""

    form: str
    network: Callable[[], Decoder]


def check_dense_merge(
    trained: Trained, dense: Decoder, question: Question, say: Callable[[str], None]
) -> dict[str, Any]:
    """Holds the adapter on the dense base against the trained model's own answers, as any other form is held."""
    network, limits = trained.network(), DENSE_MERGE[trained.form]
    prompts = [answer.prompt for answer in question.answers]
    answers = reference_answers(network, prompts, question.stop_ids, question.max_new_tokens)
    with switched_off(network) as base:
        before = scored_by(answers, decoder_score(base))
    measures = score_measures(answers, scored_by(answers, decoder_score(dense)), before, limits.near_tie)
    say(
        f"The adapter was trained on a base in {trained.form} and goes into the dense one: that changes the "
        f"log-probability of a token by {measures['mean_difference']:.2g} nats and leaves "
        f"{measures['top1_agreement']:.0%} of the first choices"
    )
    return {"trained_on": trained.form, **finding(measures, limits)}
