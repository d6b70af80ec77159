"""The model card: card.md, made of what the run folder holds and of nothing else. What is missing is said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from burnish.core.errors import BurnishError
from burnish.core.files import dump_json, read_json, write_text
from burnish.core.run_folder import RunFolder
from burnish.core.settings import read_yaml

ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")
# Control characters, invisible ones, those that turn the direction of text, line ends that only some know, and halves
# of a pair that no file can hold.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
LIBRARIES = {"merged": "transformers", "adapter": "peft", "onnx": "onnx"}  # the first that was written
UNPLAIN = re.compile(f"{CONTROL.pattern}|[<>&()]")
ARMS = {"base": "the base model", "prompted": "the base model, well prompted", "tuned": "this model"}
Facts = Mapping[str, Any]


def write_card(folder: RunFolder) -> None:
    """Writes card.md. A part that is absent or unreadable gives a sentence that says so, never an error."""
    write_text(folder.card, card_text(folder, _facts(folder.parity), "export/"))


def card_text(folder: RunFolder, parity: Facts, at: str) -> str:
    """The card. `parity`: what parity.json holds or will hold; `at`: the way from the card to the exported files."""
    recipe, environment, data = _recipe(folder.recipe), _facts(folder.environment), _facts(folder.data_card)
    training, verdict = _facts(folder.training), _facts(folder.verdict_json)
    base = _base(environment, recipe, parity)
    sections = [
        _front_matter(folder, base, training, verdict, parity),
        f"# {escaped(folder.name)}",
        _summary(base, training, verdict),
        "## Use",
        _use(parity, at),
        "## Evaluation",
        _evaluation(verdict),
        "## Do the files answer as the trained model did?",
        _parity(parity, at),
        "## Data",
        _data(data),
        "## Training",
        _training(training, environment),
        "## Limits",
        _limits(verdict, base),
    ]
    return "\n\n".join(sections) + "\n"


def short_card(folder: RunFolder, parity: Facts) -> str:
    """For the README.md of merged/ or onnx/: what the hub reads, and where the whole card is."""
    environment, training, verdict = map(_facts, (folder.environment, folder.training, folder.verdict_json))
    base = _base(environment, _recipe(folder.recipe), parity)
    front = _front_matter(folder, base, training, verdict, parity)
    return f"{front}\n\n# {escaped(folder.name)}\n\n{_summary(base, training, verdict)}\n\n[The card](../README.md).\n"


def escaped(value: object) -> str:
    """Text of unknown origin inside a line of Markdown: one line, no markup, no HTML, no invisible characters."""
    line = " ".join(CONTROL.sub(" ", str(value)).split())
    return ACTIVE.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _facts(path: Path) -> Facts:
    try:
        value = read_json(path)
    except BurnishError:
        return {}
    return value if isinstance(value, dict) else {}


def _recipe(path: Path) -> Facts:
    try:
        return read_yaml(path).values
    except BurnishError:
        return {}


def _at(facts: Any, *keys: str) -> Any:
    """A value deep within JSON, None where a step is missing or not a mapping."""
    for key in keys:
        facts = facts.get(key) if isinstance(facts, dict) else None
    return facts


def _base(environment: Facts, recipe: Facts, parity: Facts) -> dict[str, str]:
    """The base's name without the user's folders, its licence and its hash; "" for what is not known."""
    model = _at(recipe, "model")
    name = str(_at(environment, "model", "name") or _at(model, "name") or (model if isinstance(model, str) else ""))
    local = name.startswith(("/", "~", ".")) or "\\" in name or name.endswith(".gguf") or name.count("/") > 1
    return {
        "name": _last_part(name) if local else name,
        "hub": "" if local or "/" not in name else name,
        "licence": str(_at(parity, "base", "licence") or ""),
        "sha256": str(_at(environment, "model", "sha256") or ""),
    }


def _last_part(path: str) -> str:
    """A file's name without the folders that it lies in at home."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _front_matter(folder: RunFolder, base: dict[str, str], training: Facts, verdict: Facts, parity: Facts) -> str:
    """The block that the hub reads. Every value is JSON, which is YAML that no text can break out of."""
    written = [name for name, form in _forms(parity) if form.get("status") != "failed"]
    values: dict[str, Any] = {
        "library_name": next((name for form, name in LIBRARIES.items() if form in written), "gguf"),
        "pipeline_tag": "text-generation",
        "tags": ["burnish", *([str(training["method"])] if training.get("method") else []), *_kinds(written)],
    }
    if base["hub"]:
        values["base_model"] = base["hub"]
    if base["licence"]:
        values["license"] = base["licence"]
    if results := _model_index(verdict):
        values["model-index"] = [{"name": folder.name, "results": [results]}]
    return "\n".join(["---", *(f"{key}: {_yaml(value)}" for key, value in values.items()), "---"])


def _yaml(value: Any) -> str:
    """JSON with everything escaped that is not plain text: YAML has more line ends than JSON, and what knows no front
    matter reads it as Markdown, in which HTML and links would act."""
    return UNPLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", dump_json(value))


def _kinds(forms: Sequence[str]) -> list[str]:
    return [kind for kind in ("gguf", "onnx") if any(form.startswith(kind) for form in forms)]


def _model_index(verdict: Facts) -> dict[str, Any] | None:
    """The specialist's own scores on the test rows, as the hub lists them."""
    scores = [_at(arm, "metrics") for arm in _list(_at(verdict, "task", "arms")) if _at(arm, "arm") == "tuned"]
    if not scores or not isinstance(scores[0], dict):
        return None
    metrics = [{"type": name, "value": _at(mean, "mean")} for name, mean in scores[0].items()]
    return {
        "task": {"type": "text-generation"},
        "dataset": {"type": "private", "name": f"held-out rows of the user's own data ({verdict['task'].get('n')})"},
        "metrics": metrics,
    }


def _summary(base: dict[str, str], training: Facts, verdict: Facts) -> str:
    method = f", by {escaped(training['method'])}" if training.get("method") else ""
    licence = escaped(base["licence"]) if base["licence"] else "not stated by the base: find it before you pass this on"
    lines = [
        f"{escaped(base['name']) or 'An unknown base'}, trained on one person's data with Burnish{method}.",
        f"- Licence of the base, which binds this model too: {licence}.",
        f"- Base weights (sha256): `{re.sub('[^0-9a-f]', '', base['sha256']) or 'not recorded'}`.",
    ]
    if verdict:
        task, memory = _at(verdict, "task", "outcome"), _at(verdict, "memory", "outcome")
        lines.append(f"- Verdict: {escaped(task)} at the task; memory {escaped(memory)}.")
    return "\n".join(lines)


def _use(parity: Facts, at: str) -> str:
    forms = [(name, form) for name, form in _forms(parity) if form.get("status") in ("passed", "not checked")]
    texts = [_command(name, form, at) for name, form in forms]
    if files := [_file(form) for name, form in forms if name.startswith("gguf")]:
        lines = [f"llama-server -m {at}{file} --jinja --temp 0" for file in files]
        lines.append(f"cd ./{at} && ollama create specialist -f Modelfile && ollama run specialist")
        texts.append("For llama.cpp and Ollama:\n\n```sh\n" + "\n".join(lines) + "\n```")
    return "\n\n".join(filter(None, texts)) or "No form has been exported: `burnish export RUN` writes them."


def _file(form: Facts) -> str:
    return re.sub(r"[^\w.\-]", "", str(form.get("file")))


def _command(name: str, form: Facts, at: str) -> str:
    file = _file(form)
    if name == "merged":
        return (
            f"The whole model, {escaped(form.get('dtype'))}, for transformers and vLLM:\n\n```python\n"
            "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
            f'tokenizer = AutoTokenizer.from_pretrained("{at}{file}")\n'
            f'model = AutoModelForCausalLM.from_pretrained("{at}{file}")\n'
            'chat = [{"role": "user", "content": "…"}]\n'
            "ids = tokenizer.apply_chat_template(\n"
            '    chat, add_generation_prompt=True, return_dict=True, return_tensors="pt"\n)\n'
            "print(tokenizer.decode(model.generate(**ids, max_new_tokens=200)[0, ids.input_ids.shape[1]:]))\n```"
        )
    if name == "adapter" and form.get("status") == "passed":
        base = f"{at}base" if form.get("base") == "base" else "the base's folder or hub name"
        return (
            "The adapter alone, for peft, on the base it was trained on:\n\n```python\n"
            "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
            f'base = AutoModelForCausalLM.from_pretrained("{base}")\n'
            f'model = PeftModel.from_pretrained(base, "{at}{file}")\n```'
        )
    if name == "onnx":
        return (
            f"For onnxruntime and what is built on it, {escaped(form.get('dtype'))}: `{at}{file}/model.onnx`, with "
            "tokenizer, template and stop tokens beside it."
        )
    return ""


def _evaluation(verdict: Facts) -> str:
    task = _at(verdict, "task")
    if not isinstance(task, dict):
        return "Not evaluated: `burnish evaluate RUN` compares the model with its base."
    arms = [arm for arm in _list(task.get("arms")) if isinstance(_at(arm, "metrics"), dict)]
    names = list(dict.fromkeys(metric for arm in arms for metric in arm["metrics"]))
    rows = [
        [ARMS.get(str(arm.get("arm")), str(arm.get("arm"))), *(_interval(_at(arm, "metrics", name)) for name in names)]
        for arm in arms
    ]
    suites = [
        [one.get("suite"), one.get("outcome"), _number(one.get("delta")), _number(one.get("margin")), one.get("n")]
        for one in _list(_at(verdict, "memory", "suites"))
        if isinstance(one, dict)
    ]
    parts = [
        f"The task, on {escaped(task.get('n'))} rows that training never read. {escaped(task.get('reason'))}",
        _table(["", *(f"{name} (95 % interval)" for name in names)], rows),
        f"Memory of what the base knew: {escaped(_at(verdict, 'memory', 'outcome'))}.",
        _table(["suite", "outcome", "change", "margin", "items"], suites) if suites else "No suite was run.",
    ]
    return "\n\n".join(parts)


def _parity(parity: Facts, at: str) -> str:
    forms = _forms(parity)
    if not forms:
        return "Not exported."
    rows = [_parity_row(name, line) for name, form in forms for line in (form, *_engines(form))]
    head = ["form", "status", "engine", "same token", "largest difference (nats)", "equal answers", "gain kept", "why"]
    return (
        f"Each form was asked {escaped(parity.get('prompts'))} prompts and held against the trained model in float32, "
        f"greedy ({escaped(parity.get('tokens'))} tokens; {at}parity.json). Gain kept: of what training gained over "
        f"the base on these prompts, by the score of the verdict.\n\n{_table(head, rows)}"
    )


def _engines(form: Facts) -> list[Facts]:
    """What further engines showed, each line with its engine's name."""
    engines = _at(form, "engines")
    lines = engines.items() if isinstance(engines, dict) else ()
    return [{"engine": name, **line} for name, line in lines if isinstance(line, dict)]


def _parity_row(name: str, line: Facts) -> list[Any]:
    measured = _at(line, "measured")
    kept = _at(measured, "task", "effect_kept")
    return [
        name,
        line.get("status"),
        line.get("engine", ""),
        _number(_at(measured, "top1_agreement")),
        _number(_at(measured, "max_difference")),
        f"{_at(measured, 'answers_equal')} of {_at(measured, 'answers')}" if _at(measured, "answers") else "",
        f"{kept:.0%}" if isinstance(kept, float) else "",
        line.get("why", ""),
    ]


def _data(data: Facts) -> str:
    parts = _at(data, "parts")
    if not isinstance(parts, dict):
        return "No record of the data."
    rows = [[name, _at(part, "rows"), _at(part, "tokens", "total")] for name, part in parts.items()]
    sources = [
        [_last_part(str(one.get("file"))), one.get("rows"), one.get("sha256")]
        for one in _list(data.get("sources"))
        if isinstance(one, dict)
    ]
    stated = data.get("licence")
    licence = f"Licence of the data: {escaped(stated)}." if stated else "The recipe states no licence of the data."
    return "\n\n".join([_table(["part", "rows", "tokens"], rows), _table(["file", "rows", "sha256"], sources), licence])


def _training(training: Facts, environment: Facts) -> str:
    if not training:
        return "No record of the training."
    shown = {
        "method": "method", "objective": "objective", "trainable": "weights trained", "parameters": "weights in all",
        "steps_done": "updates", "rows_per_update": "rows an update", "learning_rate": "peak learning rate",
        "best_step": "best step on dev", "best_loss": "loss on dev there", "dtype": "precision of products",
        "base_weights": "base kept in",
    }  # fmt: skip
    rows = [[words, _number(training[key])] for key, words in shown.items() if key in training]
    rows.append(["seed", _at(environment, "seed")])
    rows += [[f"version of {name}", value] for name, value in (_at(environment, "versions") or {}).items()]
    return _table(["", ""], rows) + "\n\nEvery value stands in recipe.yaml, training.json and environment.json."


def _limits(verdict: Facts, base: dict[str, str]) -> str:
    shown = escaped(_at(verdict, "task", "could_show") or "nothing was measured")
    lines = [
        f"What the evaluation could show: {shown}",
        "Scores hold for greedy decoding and for rows like those of the test part; nothing else was measured.",
        f"It has the faults of {escaped(base['name']) or 'its base'} wherever training did not change them. Safety was "
        "not evaluated.",
        "It may give back text of the data it was trained on: pass it on only as you would pass on the data.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _forms(parity: Facts) -> list[tuple[str, Facts]]:
    forms = _at(parity, "forms")
    return [(str(n), f) for n, f in forms.items() if isinstance(f, dict)] if isinstance(forms, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _interval(mean: Any) -> str:
    low, value, high = (_number(_at(mean, key)) for key in ("low", "mean", "high"))
    return f"{value} ({low} to {high})" if value else ""


def _number(value: Any) -> str:
    """Four significant digits; whole numbers and words as they are."""
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _table(head: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell if cell == "---" else escaped("" if cell is None else cell) for cell in line) + " |"
        for line in lines
    )
