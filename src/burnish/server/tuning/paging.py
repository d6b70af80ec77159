"""Lists as OpenAI answers them: newest first, with the id of the last item seen as the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sqlite3 import Row
from typing import Any, Literal

from burnish.server.api_error import ApiError
from burnish.server.tuning.store import Store

Table = Literal["files", "jobs", "events", "checkpoints"]


def read_limit(text: str | None, default: int, most: int) -> int:
    """The `limit` of a request. Raises ApiError: it is no number, or none that is allowed."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ApiError(400, f"Invalid type for 'limit': expected an integer, but got {text[:40]!r} instead.",
                       param="limit", code="invalid_type")  # fmt: skip
    limit = int(text)
    if not 1 <= limit <= most:
        side, sign = ("below minimum", f">= {1}") if limit < 1 else ("above maximum", f"<= {most}")
        code = "integer_below_min_value" if limit < 1 else "integer_above_max_value"
        raise ApiError(400, f"Invalid 'limit': integer {side} value. Expected a value {sign}, but got {limit} instead.",
                       param="limit", code=code)  # fmt: skip
    return limit


def page(
    store: Store,
    table: Table,
    to_json: Callable[[Row], dict[str, Any]],
    *,
    where: Sequence[tuple[str, Sequence[Any]]] = (),
    after: str | None = None,
    limit: int,
    ascending: bool = False,
) -> dict[str, Any]:
    """One page. `where`: conditions with their values, all of which hold. Raises ApiError: `after` names nothing."""
    conditions = list(where)
    if after is not None:
        cursor = store.row(f"SELECT number FROM {table} WHERE id = ?", (after,))
        if cursor is None:
            raise ApiError(400, f"Invalid 'after': there is no {after[:80]!r}.", param="after", code="invalid_value")
        conditions.append((f"number {'>' if ascending else '<'} ?", (cursor["number"],)))
    text = " AND ".join(condition for condition, _ in conditions) or "1"
    values = [value for _, given in conditions for value in given]
    order = "ASC" if ascending else "DESC"
    found = store.rows(f"SELECT * FROM {table} WHERE {text} ORDER BY number {order} LIMIT ?", [*values, limit + 1])
    data = [to_json(row) for row in found[:limit]]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": len(found) > limit}
