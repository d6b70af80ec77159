"""Every code of the cleaning steps with its plain meaning."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "encoding_damage": "the text was read in the wrong encoding once (é had become Ã©)",
    "line_ends": "line ends of another system became plain ones",
    "control_characters": "characters that nobody sees were in the text",
    "decomposed_letters": "letters stood as a base and a separate accent",
    "nothing_left": "a message was made of invisible characters only",
    "lost_characters": "the mark � stands where a character was lost",
    "boilerplate_answer": "the answer speaks of itself as an AI or of its training",
    "refusal": "the answer declines the request",
    "echoed_prompt": "the answer repeats the prompt",
    "truncated_answer": "the answer breaks off",
    "other_language": "the text is in another language than most on its side",
    "length_outlier": "the text is far longer or shorter than the others on its side",
    "contradictory_answer": "the same prompt has another answer in another row",
    "unbalanced_labels": "some labels have far more rows than others",
    "several_languages": "no language is that of nearly all rows, so none is reported as wrong",
    "cut_at_length": "many answers break off at exactly the same length",
    "answer_length_bias": "one side of the pairs is mostly the longer one, so length alone may be learnt",
}
