"""`burnish serve`: specialists and their bases behind OpenAI's API, on this machine alone unless asked otherwise."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from burnish.cli.runs import say
from burnish.cli.tuning import Jobs, job_routes
from burnish.core.errors import RecipeError
from burnish.core.world import compute_dtype, single_world
from burnish.pipeline.find import existing_run
from burnish.server.app import create_app
from burnish.server.behind import create_proxy
from burnish.server.catalog import Catalog
from burnish.server.engines import llamacpp, llamacpp_plan, vllm, vllm_plan
from burnish.server.key import VARIABLE, Key, given_key, kept_key, key_path
from burnish.server.own_host import is_loopback
from burnish.server.serve import serve
from burnish.server.worker import Worker

DTYPES = ("auto", "float32", "bfloat16")
ENGINES = {"llamacpp": (llamacpp_plan, llamacpp), "vllm": (vllm_plan, vllm)}


@dataclass(frozen=True)
class Door:
    """Where to listen, and who may come in."""

    host: str
    port: int
    names: tuple[str, ...]
    key: Key


@dataclass(frozen=True)
class Wares:
    """What is served, as the command names it."""

    runs: tuple[str, ...]
    models: tuple[str, ...]
    adapters: tuple[str, ...]  # NAME=FOLDER
    roots: tuple[Path, ...]
    out: Path


@dataclass(frozen=True)
class Strength:
    """How much is done at once, and how exactly."""

    dtype: str
    slots: int
    capacity: int
    longest: int


def open_door(host: str, port: int, names: Sequence[str], api_key: str | None) -> Door:
    """Raises RecipeError: other machines could connect, and no key was given."""
    given = given_key(api_key)
    if given is None and not is_loopback(host):
        raise RecipeError(
            "Other machines could connect there, so the server needs a key of your own.",
            where="--host",
            seen=host,
            next_move=f"set {VARIABLE} to a long random text, and put something that speaks HTTPS before the server",
        )
    return Door(host, port, (host, *names), given or kept_key(key_path()))


def jobs_asked(tune: bool, names: Sequence[str], recipe: Path | None) -> Jobs | None:
    """Raises RecipeError: it is said how jobs are to be done, and not that any are."""
    if not tune and (names or recipe):
        raise RecipeError("No jobs are taken.", seen="--tune-as or --tune-recipe alone", next_move="add --tune")
    return Jobs(tuple(names), recipe) if tune else None


def serve_with(engine: str, wares: Wares, door: Door, strength: Strength, jobs: Jobs | None) -> None:
    """Serves until Ctrl-C, with our own engine or another."""
    if engine == "burnish":
        serve_here(wares, door, strength, jobs)
    else:
        serve_behind(engine, wares, door, strength, jobs)


def serve_here(wares: Wares, door: Door, strength: Strength, jobs: Jobs | None = None) -> None:
    """With our own engine; with `jobs` fine-tuning, too."""
    if strength.dtype not in DTYPES:
        raise RecipeError(
            "That is no number format.", where="--dtype", seen=strength.dtype, next_move=", ".join(DTYPES)
        )
    dtype = compute_dtype(strength.dtype, single_world().device)
    with closing(Worker(capacity=strength.capacity)) as worker:
        catalog = Catalog(worker, dtype=dtype, slots=strength.slots, roots=wares.roots)
        fill(catalog, wares, jobs)
        folders = [existing_run(name, wares.out).path for name in wares.runs]
        with job_routes(catalog, jobs, wares.out, models=wares.models, runs=folders) as routers:
            app = create_app(catalog, door.key, routers=routers, hosts=door.names, longest=strength.longest)
            parents = {one.name: one.parent for one in catalog.all()}
            try:
                serve(app, door.host, door.port, ready=lambda address: greet(address, door, parents))
            except KeyboardInterrupt:
                say("")  # uvicorn has let the answers under way come to their end


def serve_behind(engine: str, wares: Wares, door: Door, strength: Strength, jobs: Jobs | None = None) -> None:
    """Exported forms of the runs, with another engine."""
    if engine not in ENGINES:
        raise RecipeError("That is no engine.", where="--engine", seen=engine, next_move="burnish, llamacpp or vllm")
    if wares.models or wares.adapters or wares.roots or jobs is not None or not wares.runs:
        raise RecipeError(
            "Another engine serves exported runs alone.", where=f"--engine {engine}", next_move="name runs, no more"
        )
    plan, start = ENGINES[engine]
    chosen = plan([existing_run(name, wares.out) for name in wares.runs])
    with start(chosen, dtype=strength.dtype, slots=strength.slots, longest=strength.longest) as backend:
        app = create_proxy(backend, door.key, hosts=door.names)
        names = {name: one.parent for name, one in backend.models.items()}
        try:
            serve(app, door.host, door.port, ready=lambda address: greet(address, door, names))
        except KeyboardInterrupt:
            say("")


def fill(catalog: Catalog, wares: Wares, jobs: Jobs | None = None) -> None:
    """Loads all that was named. Raises RecipeError: nothing, or two things of one name."""
    named = [(existing_run(name, wares.out).name, existing_run(name, wares.out).path) for name in wares.runs]
    adapters = [_named_adapter(text) for text in wares.adapters]
    names = [name for name, _ in (*named, *adapters)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise RecipeError("Two things would be served under one name.", seen=twice[0], next_move="rename a run")
    if not names and not wares.models and jobs is None:
        raise RecipeError("There is nothing to serve.", next_move="name runs, or a model with --model")
    for model in wares.models:
        catalog.add_base(model)
    for name, folder in named:
        catalog.add(name, folder)
    for name, folder in adapters:
        catalog.add_adapter(name, folder)


def _named_adapter(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise RecipeError("An adapter is served under a name.", where="--adapter", seen=text, next_move="NAME=FOLDER")
    return name, Path(folder)


def greet(address: str, door: Door, parents: Mapping[str, str | None]) -> None:
    """Says what is served where, and how to ask it. The key itself is never printed. `parents`: names, with the base
    that an adapter stands on."""
    for name, parent in parents.items():
        say(f"  {name}" + (f" (on {parent})" if parent else ""))
    say(f"OpenAI's API at {address}/v1")
    file = door.key.file
    say(f"key: {file}" if file else f"key: the one that you gave; {VARIABLE} holds it in the line below")
    if not parents:
        say("Stop with Ctrl-C.")
        return
    key = f"$(cat {shlex.quote(str(file))})" if file else f"${VARIABLE}"
    asked = next((name for name in parents if parents[name]), next(iter(parents)))
    body = f'{{"model": "{asked}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    say(
        f"try:\n  curl {address}/v1/chat/completions -H 'Content-Type: application/json' "
        f'-H "Authorization: Bearer {key}" -d {shlex.quote(body)}'
    )
    say("Stop with Ctrl-C.")
