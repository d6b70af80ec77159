"""Why something that a model made is not used: every code with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "made_empty": "the model answered nothing",
    "made_too_long": "the model's text was cut off, or is far longer than what it was made from",
    "made_not_parseable": "the model's text has not the form that was asked for",
    "made_same": "the model gave back what it was given",
    "made_refusal": "the model declined, or spoke of itself",
    "made_other_language": "the made text is in another language than its origin",
    "made_numbers": "numbers were lost or came in",
    "made_negation": "the made text no longer says that something is not so, or comes to say it",
    "made_fact_lost": "the prompt no longer holds the words that the answer takes from it",
    "made_answered": "the prompt was answered where it should be put in other words",
    "made_speaker": "the made text speaks of the other where its origin speaks of the speaker",
    "made_unrelated": "the made text shares hardly a word of weight with its origin",
    "made_needs_document": "the question makes no sense without the document",
    "made_not_in_document": "the answer does not stand in the document",
    "made_request_refused": "the model could not take the request, such as for its length",
    "made_doubtful": "cleaning doubts the made row where it did not doubt its origin",
    "made_duplicate": "the made row says what a row of train or an earlier made row says",
    "made_leak": "the made row gives away a row of dev or test, or an item of a benchmark",
    "rewritten": "the row's answer was rewritten, and the made row stands in its place",
}


class Rejected(Exception):  # noqa: N818 - not a fault: the text is not used
    """A made text that is not used, with a code of REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
