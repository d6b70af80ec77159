"""One pass of the decoder: the next token of each sequence in a slot, and whole runs of tokens, side by side.

The linear layers see one flat list of tokens without padding. Attention is put together from parts: sequences in slots
over their own tokens in one batch, runs of one length in one batch, and each shared run for all tokens under it.

Names: T tokens, R rows (sequences in slots), B runs of one length, t its tokens, u keys, H heads, K key-value heads,
G = H / K, d width of a head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from burnish.generate.cache import Run, Slots
from burnish.generate.parts import attend_part, attend_shared, hidden_where, merge_parts
from burnish.model.attention import Attend
from burnish.model.attention_rule import AttentionRule
from burnish.model.bank import assign
from burnish.model.decoder import Decoder


@dataclass(frozen=True)
class Row:
    """The next token of the sequence in a slot: row r belongs to slot r."""

    token: int
    at: int  # how many own tokens its slot holds before this one
    start: int  # position of its first own token
    above: tuple[Run, ...]
    adapter: str = ""


@torch.inference_mode()
def run_pass(decoder: Decoder, runs: Sequence[Run], rows: Sequence[Row] = (), slots: Slots | None = None) -> Tensor:
    """(T, D) hidden states of the rows' tokens, then of the runs' tokens. A run must stand after those above it
    that are computed in the same pass. Writes the keys and values of rows to slots, those of runs to their stores.
    """
    tokens = [row.token for row in rows] + [token for run in runs for token in run.tokens]
    positions = [row.start + row.at for row in rows]
    for run in runs:
        positions.extend(range(run.start, run.start + len(run.tokens)))
    adapters = [row.adapter for row in rows] + [run.adapter for run in runs for _ in run.tokens]
    assign(decoder, adapters)
    position_T = torch.tensor(positions, device=decoder.device)
    tokens_T = torch.tensor(tokens, device=decoder.device)
    hidden: Tensor = decoder(tokens_T, position_T, _pass_attention(runs, rows, slots, position_T, decoder.compute))
    return hidden


def run_starts(runs: Sequence[Run], rows: int = 0) -> list[int]:
    """Where each run begins among the tokens of a pass."""
    starts, total = [], rows
    for run in runs:
        starts.append(total)
        total += len(run.tokens)
    return starts


def _pass_attention(
    runs: Sequence[Run], rows: Sequence[Row], slots: Slots | None, position_T: Tensor, compute: torch.dtype
) -> Attend:
    """Attention of one pass, with the lists of who reads what made once for all layers."""
    starts = run_starts(runs, len(rows))
    batches = _batches(runs, starts, position_T.device)
    readers = _readers(runs, rows, starts, position_T)
    growing = _Growing(slots, rows, position_T.device) if slots is not None and rows else None
    wide = torch.promote_types(compute, torch.float32)

    def attend(layer: int, query_T_H_d: Tensor, key: Tensor, value: Tensor, rule: AttentionRule) -> Tensor:
        for run, start in zip(runs, starts, strict=True):
            if run.store is not None:
                stop = start + len(run.tokens)
                run.store.keys[layer, :, : stop - start] = key[start:stop].transpose(0, 1)
                run.store.values[layer, :, : stop - start] = value[start:stop].transpose(0, 1)
        output = torch.empty_like(query_T_H_d)
        total = query_T_H_d.new_empty(query_T_H_d.shape[:2], dtype=wide)
        if growing is not None:
            part = slice(0, len(rows))
            output[part], total[part] = growing.attend(layer, query_T_H_d[part], key[part], value[part], rule)
        for at_B_t in batches:
            output[at_B_t], total[at_B_t] = _attend_own(query_T_H_d[at_B_t], key[at_B_t], value[at_B_t], rule)
        for reader in readers:
            if rule.window is None or reader.nearest < rule.window:
                more, more_total = reader.attend(layer, query_T_H_d, rule)
                at = reader.at
                output[at], total[at] = merge_parts(output[at], total[at], more, more_total)
        return output.flatten(1)

    return attend


def _batches(runs: Sequence[Run], starts: Sequence[int], device: torch.device) -> list[Tensor]:
    """(B, t) indices of the tokens of all runs of one length, for each length."""
    by_length: dict[int, list[int]] = {}
    for run, start in zip(runs, starts, strict=True):
        by_length.setdefault(len(run.tokens), []).append(start)
    return [
        torch.tensor(firsts, device=device)[:, None] + torch.arange(length, device=device)
        for length, firsts in by_length.items()
    ]


def _attend_own(
    query_B_t_H_d: Tensor, key_B_t_K_d: Tensor, value_B_t_K_d: Tensor, rule: AttentionRule
) -> tuple[Tensor, Tensor]:
    """Runs over their own tokens, each token up to itself: (B, t, H, d) and (B, t, H)."""
    batch, length, _, width = query_B_t_H_d.shape
    narrow = key_B_t_K_d.shape[2]
    query = query_B_t_H_d.view(batch, length, narrow, -1, width).permute(0, 2, 3, 1, 4).flatten(0, 1)
    groups = query.shape[1]  # the query is now B·K, G, t, d
    key, value = (
        x.transpose(1, 2).flatten(0, 1)[:, None].expand(-1, groups, -1, -1) for x in (key_B_t_K_d, value_B_t_K_d)
    )
    mask = None
    if rule.window is not None and length > rule.window:
        back = torch.arange(length, device=query.device)[:, None] - torch.arange(length, device=query.device)
        mask = hidden_where(((back < 0) | (back >= rule.window))[None, None], query.dtype)
    output, total = attend_part(query, key, value, rule, mask=mask, causal=mask is None)
    output = output.view(batch, narrow, groups, length, width).permute(0, 3, 1, 2, 4).reshape(query_B_t_H_d.shape)
    return output, total.view(batch, narrow, groups, length).permute(0, 3, 1, 2).flatten(2)


class _Growing:
    """Sequences in slots: their newest token over all their own tokens."""

    def __init__(self, slots: Slots, rows: Sequence[Row], device: torch.device) -> None:
        self.slots = slots
        self.row_R = torch.arange(len(rows), device=device)
        self.at_R = torch.tensor([row.at for row in rows], device=device)
        self.masks: dict[int | None, Tensor] = {}

    def attend(
        self, layer: int, query_R_H_d: Tensor, key_R_K_d: Tensor, value_R_K_d: Tensor, rule: AttentionRule
    ) -> tuple[Tensor, Tensor]:
        """(R, H, d) and (R, H). The queries of one key-value head stand side by side, so no key is repeated."""
        keys, values = self.slots.keys[layer], self.slots.values[layer]
        keys[self.row_R, :, self.at_R], values[self.row_R, :, self.at_R] = key_R_K_d, value_R_K_d
        rows = len(query_R_H_d)
        output, total = attend_part(
            query_R_H_d.view(rows, keys.shape[1], -1, keys.shape[3]),
            keys[:rows],
            values[:rows],
            rule,
            mask=self._mask(keys.shape[2], rule.window, query_R_H_d.dtype),
        )
        return output.flatten(1, 2), total.flatten(1)

    def _mask(self, capacity: int, window: int | None, dtype: torch.dtype) -> Tensor:
        """(R, 1, 1, U), made once a pass: layers differ in their window alone."""
        if window not in self.masks:
            seen_U = torch.arange(capacity, device=self.at_R.device)
            hidden_R_U = seen_U > self.at_R[:, None]
            if window is not None:
                hidden_R_U |= seen_U <= self.at_R[:, None] - window
            self.masks[window] = hidden_where(hidden_R_U[:, None, None], dtype)
        return self.masks[window]


@dataclass(frozen=True)
class _Reader:
    """A shared run, and the tokens of the pass that come after it."""

    run: Run
    at_T: Tensor
    at: Tensor | slice  # the same; a slice where they stand in a row, for that is a view
    position_T: Tensor
    nearest: int  # how far back the run's last token lies from the first reader
    farthest: int  # how far back its first token lies from the last reader

    def attend(self, layer: int, query_T_H_d: Tensor, rule: AttentionRule) -> tuple[Tensor, Tensor]:
        """(T, H, d) and (T, H), for the tokens at_T."""
        assert self.run.store is not None
        length = len(self.run.tokens)
        keys, values = (x[layer, :, :length] for x in (self.run.store.keys, self.run.store.values))
        allowed = None
        if rule.window is not None and self.farthest >= rule.window:
            position_U = torch.arange(self.run.start, self.run.start + length, device=self.at_T.device)
            allowed = self.position_T[:, None] - position_U < rule.window
        return attend_shared(query_T_H_d[self.at], keys, values, rule, allowed)


def _readers(runs: Sequence[Run], rows: Sequence[Row], starts: Sequence[int], position_T: Tensor) -> list[_Reader]:
    """Each shared run with all the tokens under it, root first."""
    under: dict[Run, list[int]] = {}
    for index, row in enumerate(rows):
        for above in row.above:
            under.setdefault(above, []).append(index)
    for run, start in zip(runs, starts, strict=True):
        for above in run.above:
            under.setdefault(above, []).extend(range(start, start + len(run.tokens)))
    readers = []
    for run, at in under.items():
        at_T = torch.tensor(at, device=position_T.device)
        position = position_T[at_T]
        nearest = int(position.min()) - (run.start + len(run.tokens) - 1)
        in_a_row = at[-1] - at[0] + 1 == len(at)  # they are in order, each once
        where = slice(at[0], at[-1] + 1) if in_a_row else at_T
        readers.append(_Reader(run, at_T, where, position, nearest, int(position.max()) - run.start))
    return readers
