"""Which names are served, and what each stands for. Names come and go while requests are at work: a request keeps what
its name stood for when it came, and what nobody uses any more is let go."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

import torch

from burnish.core.errors import ModelError, RecipeError
from burnish.core.files import sha256_of_tree
from burnish.model.resolve import resolve
from burnish.pipeline.answering import ready
from burnish.pipeline.workshop import Workshop
from burnish.server.api_error import ApiError
from burnish.server.loading import Update, is_adapter, model_name, open_run, read_update, shared_update
from burnish.server.seat import SLOTS, Seat, base_seat
from burnish.server.worker import Worker, leave_the_cores

LONGEST_NAME = 200


@dataclass(frozen=True)
class Served:
    """What a name stands for: a network, and an adapter of its bank by the hash of its content ("" for none)."""

    name: str
    seat: Seat
    adapter: str = ""
    parent: str | None = None  # the name of the base that an adapter stands on
    temperature: float = 0.0  # where a request names none: as the specialist was judged
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def fingerprint(self) -> str:
        """Tells weights apart: of the model, of the adapter, and in which precision they compute."""
        whole = f"{self.seat.model_hash} {self.adapter} {self.seat.decoder.compute}"
        return "fp_" + hashlib.sha256(whole.encode()).hexdigest()[:16]


class Catalog:
    """All that one server serves. Any thread may call it; loading takes seconds and holds nobody up but other loading.

    `roots`: the folders below which adapters may be loaded over HTTP; none by default.
    """

    def __init__(
        self, worker: Worker, *, dtype: torch.dtype = torch.float32, slots: int = SLOTS, roots: Sequence[Path] = ()
    ) -> None:
        self.worker, self.dtype, self.slots = worker, dtype, slots
        self.roots = tuple(root.resolve() for root in roots)
        self._served: dict[str, Served] = {}
        self._leases: Counter[tuple[Seat, str]] = Counter()
        self._bases: dict[str, Seat] = {}  # those that adapters share, by hash of the model
        self._books, self._loading = RLock(), RLock()

    def all(self) -> list[Served]:
        """What is served now, in the order in which it came."""
        with self._books:
            return list(self._served.values())

    def get(self, name: str) -> Served:
        """Raises ApiError: nothing of that name is served. Never another model in its place."""
        served = self._served.get(name)
        if served is None:
            raise ApiError(
                404,
                f"The model `{name}` does not exist or you do not have access to it.",
                param="model",
                code="model_not_found",
            )
        return served

    @contextlib.contextmanager
    def using(self, name: str) -> Iterator[Served]:
        """What the name stands for now, kept in memory as long as the block lasts. Raises ApiError as `get` does."""
        with self._books:
            served = self.get(name)
            self._leases[served.seat, served.adapter] += 1
        try:
            yield served
        finally:
            self._give_back(served.seat, served.adapter)

    def add(self, name: str, run_folder: Path) -> Served:
        """Serves a run under a name; in the place of what had it before, if anything had. Its base is served too, where
        it stands in memory anyway. Raises BurnishError: it cannot be loaded, and all stays as it was.
        """
        with self._loading:
            leave_the_cores()
            shop = open_run(run_folder)
            update = shared_update(shop)
            judged_at = shop.recipe.evaluate.temperature
            if update is not None:
                base = self.add_base(shop.recipe.model.name, shop.path, shop.model_hash)
                with contextlib.suppress(ModelError):  # an update of the vocabulary's tables: a network of its own
                    return self._name_loaded(Served(name, base.seat, update.key, base.name, judged_at), update)
            return self._name(Served(name, self._own_seat(shop), temperature=judged_at))

    def add_base(self, name: str, path: Path | None = None, model_hash: str = "") -> Served:
        """Serves a pretrained model under the name that recipes give it. Raises BurnishError: it cannot be loaded."""
        with self._loading:
            leave_the_cores()
            path = path or resolve(name)
            model_hash = model_hash or sha256_of_tree(path)
            shown, seat = model_name(name), self._bases.get(model_hash)
            known = self._served.get(shown)
            if known is not None and (known.seat is not seat or known.adapter):
                raise RecipeError(
                    "Two models would be served under one name.",
                    seen=shown,
                    where=str(path),
                    next_move="rename the run or the model, or serve one of them alone",
                )
            if seat is None:
                seat = self._bases[model_hash] = base_seat(path, model_hash, dtype=self.dtype, slots=self.slots)
            return known or self._name(Served(shown, seat))

    def add_adapter(self, name: str, folder: Path, base: str | None = None) -> Served:
        """Serves an adapter in peft's layout, or a run, under a name. `base`: whose adapter it is, where several bases
        are served. Raises BurnishError: it cannot be loaded; ApiError: no base, or not clear which."""
        if not is_adapter(folder):
            return self.add(name, folder)
        with self._loading:
            leave_the_cores()
            stands_on = self._base_for(base)
            update = read_update(folder)
            served = Served(name, stands_on.seat, update.key, stands_on.name, stands_on.temperature)
            return self._name_loaded(served, update)

    def add_allowed(self, name: str, path: str, base: str | None = None) -> Served:
        """`add_adapter` for a folder that someone named over HTTP. Raises ApiError: it is not below an allowed root."""
        try:
            folder = Path(path).resolve()
            allowed = any(folder.is_relative_to(root) and folder != root for root in self.roots) and folder.is_dir()
        except (OSError, ValueError):
            allowed = False
        if not allowed:  # whether such a folder exists elsewhere is not told
            raise ApiError(
                404,
                "There is no such folder below those that adapters may be loaded from (--adapters FOLDER).",
                param="lora_path",
            )
        return self.add_adapter(name, folder, base)

    def remove(self, name: str) -> None:
        """Serves a name no longer. Raises ApiError: it is not served."""
        with self._books:
            served = self.get(name)
            del self._served[name]
            self._let_go(served.seat, served.adapter)

    def _base_for(self, name: str | None) -> Served:
        bases = [one for one in self.all() if not one.adapter and one.seat in self._bases.values()]
        found = [one for one in bases if name in (None, one.name)]
        if len(found) != 1:
            names = ", ".join(one.name for one in bases) or "none"
            raise ApiError(400, f"Name the base of this adapter, of those that are served: {names}.", param="base")
        return found[0]

    def _own_seat(self, shop: Workshop) -> Seat:
        decoder = ready(shop.specialist(self.dtype))
        return Seat(decoder, shop.renderer, f"{shop.model_hash} {shop.weights_hash()}", self.slots)

    def _name_loaded(self, served: Served, update: Update) -> Served:
        """Puts an adapter into its network's bank, if it is not there, between two passes, and names it."""
        bank = served.seat.decoder.bank
        assert bank is not None

        def load() -> None:
            if update.key not in bank.keys:
                bank.add(update.key, update.factors)

        with self._books:
            self._leases[served.seat, update.key] += 1  # nobody may take it out before it has its name
        try:
            self.worker.do(load).result()
            return self._name(served)
        finally:
            self._give_back(served.seat, update.key)

    def _name(self, served: Served) -> Served:
        """From now on the name stands for this."""
        if not served.name or len(served.name) > LONGEST_NAME or not served.name.isprintable():
            raise RecipeError("A model needs a name of letters that can be read.", seen=repr(served.name[:80]))
        with self._books:
            before = self._served.get(served.name)
            self._served[served.name] = served
            if before is not None:
                self._let_go(before.seat, before.adapter)
        return served

    def _give_back(self, seat: Seat, key: str) -> None:
        with self._books:
            self._leases[seat, key] -= 1
            if self._leases[seat, key] <= 0:
                del self._leases[seat, key]
            self._let_go(seat, key)

    def _let_go(self, seat: Seat, key: str) -> None:
        """Frees an adapter, or a network, that no name stands for and no request uses."""
        in_use = {(one.seat, one.adapter) for one in self._served.values()} | self._leases.keys()
        if key and (seat, key) not in in_use:
            self.worker.do(lambda: self._unload(seat, key))
        if seat not in {used for used, _ in in_use}:
            self._bases = {name: base for name, base in self._bases.items() if base is not seat}

    def _unload(self, seat: Seat, key: str) -> None:
        """In the worker's thread. The name may have come back meanwhile."""
        with self._books:
            named = any(one.seat is seat and one.adapter == key for one in self._served.values())
            if not named and not self._leases[seat, key] and seat.decoder.bank is not None:
                with contextlib.suppress(KeyError):  # taken out by an earlier order
                    seat.decoder.bank.remove(key)
                seat.engine.forget(key)
