"""card.md: the card for people."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from burnish.data.card.facts import CountsByPart, DataCard, PartFacts
from burnish.data.card.limits import PRIVATE, is_leak, limits, meaning_of
from burnish.data.private.reasons import MEANINGS

SHOWN_LABELS = 20
HOW_MADE = {"split": "splitting", "repeated": "using rows again", "grown": "a model, used or not",
            "canaries": "planting canaries"}  # fmt: skip
ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def equation(card: DataCard) -> str:
    """Where every row went: "100 rows in = 70 train + 10 dev + 18 test + 2 dropped"."""
    made = "".join(f" + {count} more by {HOW_MADE.get(how, how)}" for how, count in card.made.items() if count)
    sizes = " + ".join(f"{part.rows} {name}" for name, part in card.parts.items())
    return f"{card.rows_in} rows in{made} = {sizes} + {card.rows_dropped} dropped"


def markdown(card: DataCard) -> str:
    """card.md, for people. No text of the data can act in it."""
    sections = {
        "": f"{equation(card)} (seed {card.seed}).",
        "Known limits": "\n".join(f"- {escaped(sentence)}" for sentence in limits(card)),
        "Files": _files(card),
        "Licence": _licence(card),
        "Parts": _parts(card),
        "Dropped": _dropped(card),
        "Changed and flagged": _kept(card),
        "Duplicates and leaks": _duplicates(card),
        "Private data": _private(card),
        "Language": _languages(card),
        "Answers": _answers(card),
    }
    written = (f"## {title}\n\n{text}" if title else text for title, text in sections.items() if text)
    return "\n\n".join(["# Data card", *written]) + "\n"


def escaped(value: object) -> str:
    """Text of unknown origin on one line of Markdown: no markup, no HTML, no characters that nobody sees."""
    line = "".join(character if character.isprintable() else " " for character in str(value))
    plain = " ".join(line.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return ACTIVE.sub(r"\\\1", plain)


def _files(card: DataCard) -> str:
    head = ["part", "file", "rows", "format", "keys", "not read", "first row", "notes", "sha256"]
    rows = (
        (one.part, one.file, one.rows, one.format, ", ".join(one.keys), ", ".join(one.unread_keys), one.first_row,
         "; ".join(one.notes), one.sha256)
        for one in card.sources
    )  # fmt: skip
    return _table(head, rows)


def _licence(card: DataCard) -> str:
    notes = "\n".join(f"- {escaped(note.where)}: “{escaped(note.quote)}”" for note in card.licences_found)
    stated = f"Stated by the user: {escaped(card.licence)}." if card.licence else "Not stated."
    return f"{stated}\n\nFound beside the data, quoted and not judged:\n\n{notes}" if notes else stated


def _parts(card: DataCard) -> str:
    head = ["part", "rows", "groups", "tokens", "shortest", "median", "95 %", "longest", "learnt"]
    rows = (
        (name, part.rows, part.groups, *dataclasses.astuple(part.tokens), _learnt(part))
        for name, part in card.parts.items()
    )
    test = "The test part is the user's own file." if card.own_test else f"The parts were split by {card.split_by}."
    made = [
        *(f"Rows of train that {escaped(model)} wrote: {rows}." for model, rows in card.made_by.items()),
        *(f"Rows of train made as {kind}: {rows}." for kind, rows in card.grown.items()),
    ]
    kinds = ", ".join(f"{count} {kind}" for kind, count in card.kinds.items())
    return "\n\n".join([
        _table(head, rows),
        "A group holds rows that ask or say the same, or nearly so; it never stands in two parts. " + test,
        *([f"Kinds of rows: {kinds}."] if kinds else []),
        *made,
    ])  # fmt: skip


def _learnt(part: PartFacts) -> str:
    """The mask share: tokens that are learnt, of all."""
    if part.learnt is None or not part.tokens.total:
        return "not counted"
    return f"{part.learnt} ({part.learnt / part.tokens.total:.1%})"


def _dropped(card: DataCard) -> str:
    table = _reasons(card.dropped) or "No row was dropped."
    cut = f"Conversations cut after their last answer: {card.rows_cut}."
    return f"{table}\n\nEvery dropped row stands in dropped.jsonl with its place. {cut}"


def _kept(card: DataCard) -> str:
    changed, flagged = _reasons(card.changed), _reasons(card.flagged)
    return "\n\n".join([
        "Repairs, each of which changed.jsonl can take back:" if changed else "Nothing was changed.",
        *filter(None, [changed]),
        "Doubts about rows that were kept, each in flagged.jsonl:" if flagged else "Nothing was flagged.",
        *filter(None, [flagged]),
    ])  # fmt: skip


def _duplicates(card: DataCard) -> str:
    found = card.duplicates
    same = "Not looked for beyond equal rows." if found is None else (
        f"{found.clusters} clusters of two rows and more hold {found.rows} rows; the largest has {found.largest}. "
        f"Near duplicates were {'' if found.near else 'not '}looked for; embedding model: {escaped(found.semantic)}."
    )  # fmt: skip
    rows = [
        (part, done, reason, count)
        for done, counts in (("dropped", card.dropped), ("kept", card.flagged))
        for part, reasons in counts.items()
        for reason, count in reasons.items()
        if is_leak(reason)
    ]
    leaks = _table(["from", "rows were", "leak", "rows"], rows) if rows else "No leak was found."
    searched = f"Train was held against {', '.join(map(escaped, card.searched))}." if card.searched else ""
    return "\n\n".join(filter(None, [same, leaks, searched]))


def _private(card: DataCard) -> str:
    if card.private is None or card.private.action == "off":
        return "Not looked for."
    kinds = ", ".join(MEANINGS.get(kind, kind) for kind in card.private.kinds)
    rows = [
        (part, PRIVATE[reason], count, MEANINGS[PRIVATE[reason]])
        for part, reasons in card.flagged.items()
        for reason, count in reasons.items()
        if reason in PRIVATE
    ]
    masked = sum(reasons.get("private_data_masked", 0) for reasons in card.changed.values())
    dropped = sum(reasons.get("private_data", 0) for reasons in card.dropped.values())
    done = {"mask": f"Texts masked: {masked}.", "drop": f"Rows dropped: {dropped}."}.get(card.private.action, "")
    found = _table(["from", "kind", "found", "meaning"], rows) if rows else "None was found and kept."
    return "\n\n".join(filter(None, [f"Looked for: {kinds} (action: {card.private.action}). {done}".strip(), found]))


def _languages(card: DataCard) -> str:
    rows = [
        (side, language, count, f"{count / sum(counts.values()):.1%}")
        for side, counts in card.languages.items()
        for language, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:8]
    ]
    return _table(["side", "language", "rows", "share of those that are long enough to tell"], rows) if rows else ""


def _answers(card: DataCard) -> str:
    shape = card.shape
    names = shape.labels or shape.json_keys
    shown = ", ".join(map(escaped, names[:SHOWN_LABELS])) + (", …" if len(names) > SHOWN_LABELS else "")
    what = {"label": f"{len(names)} labels: {shown}", "json": f"JSON objects with the keys {shown}"}
    several = f"Prompts with more than one answer: {card.prompts_with_several_answers}."
    return f"Kind: {what.get(shape.kind, shape.kind)}.\n\n{several}"


def _reasons(counts: CountsByPart) -> str:
    """A table of reasons; empty where there is none."""
    rows = [
        (part, reason, count, meaning_of(reason))
        for part, reasons in counts.items()
        for reason, count in reasons.items()
    ]
    return _table(["from", "reason", "count", "meaning"], rows) if rows else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [list(map(escaped, line)) for line in (head, *rows)]
    lines.insert(1, ["---"] * len(head))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
