"""What starts a server on the exported forms."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from burnish.core.files import write_json
from burnish.deploy.serving import compose, containerfile, script, served_name, vllm_arguments, write_serving
from burnish.deploy.vllm import cannot_serve, lora_rank
from burnish.render.renderer import make_renderer
from tests.tiny import make_tokenizer

PASSED, FAILED = {"status": "passed", "why": ""}, {"status": "failed", "why": "made to"}
LORA = {"peft_type": "LORA", "r": 12}


def written(out: Path, forms: dict[str, Any], base: Path) -> set[str]:
    (out / "adapter").mkdir(parents=True)
    write_json(out / "adapter" / "adapter_config.json", LORA)
    before = {path for path in out.rglob("*") if path.is_file()}
    write_serving(
        out, forms, name="my run", renderer=make_renderer(make_tokenizer()), context=512, base=base, licence="mit"
    )
    return {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file() and path not in before}


def test_each_form_brings_what_serves_it(tmp_path: Path) -> None:
    base = tmp_path / "base.gguf"
    base.touch()
    forms = {"merged": PASSED, "adapter": PASSED, "adapter-gguf": PASSED, "gguf-q8_0": PASSED | {"file": "m.gguf"}}
    assert written(tmp_path / "out", forms, base) == {
        "Modelfile", "Modelfile.adapter", "serve/vllm.sh", "serve/vllm-adapter.sh", "serve/compose.yaml",
        "serve/Containerfile",
    }  # fmt: skip


def test_nothing_is_written_for_a_form_that_failed(tmp_path: Path) -> None:
    forms = {"merged": FAILED, "adapter": FAILED, "gguf-q8_0": FAILED | {"file": "m.gguf"}}
    assert written(tmp_path / "out", forms, tmp_path) == set()


@pytest.mark.parametrize(
    ("name", "served"),
    [("tickets", "tickets"), ("my run; rm -rf ~", "my-run-rm--rf"), ("--", "specialist"), ("Ä", "specialist")],
)
def test_a_name_is_one_that_shells_and_servers_take(name: str, served: str) -> None:
    assert served_name(name) == served


def test_the_script_runs_in_the_exported_folder_and_hands_its_arguments_on(tmp_path: Path) -> None:
    (tmp_path / "serve").mkdir()
    (tmp_path / "bin").mkdir()
    file, vllm = tmp_path / "serve" / "vllm.sh", tmp_path / "bin" / "vllm"
    file.write_text(script(vllm_arguments("merged", "tickets", 100_000)))
    vllm.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@"\n')
    vllm.chmod(0o755)
    done = subprocess.run(
        ["sh", str(file), "--api-key", "a b"], capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
    )  # fmt: skip
    lines = done.stdout.split("\n")
    assert lines[:3] == [str(tmp_path), "serve", "merged"]
    assert '{"temperature": 0}' in lines
    assert lines[lines.index("--max-model-len") + 1] == "8192"
    assert lines[-3:] == ["--api-key", "a b", ""]


def test_an_adapter_answers_to_the_run_s_name_and_its_base_to_another() -> None:
    line = vllm_arguments("base", "tickets", 512, rank=12)
    assert line[line.index("--served-model-name") + 1] == "base"
    assert line[line.index("--lora-modules") + 1] == "tickets=adapter"
    assert line[line.index("--max-lora-rank") + 1] == "16"


def test_the_size_of_adapters_is_one_that_vllm_knows() -> None:
    assert [lora_rank(rank) for rank in (1, 8, 9, 64, 65, 1000)] == [8, 8, 16, 64, 128, 1000]


def test_only_plain_lora_goes_to_vllm() -> None:
    assert cannot_serve(LORA) == ""
    for other in ({"peft_type": "IA3"}, LORA | {"use_dora": True}, LORA | {"bias": "all"}, {}):
        assert cannot_serve(other).startswith("vLLM serves")


def test_containers_listen_on_this_machine_alone() -> None:
    services = yaml.safe_load(compose("tickets", 512))["services"]
    assert {name: one["ports"] for name, one in services.items()} == {
        "vllm": ["127.0.0.1:8000:8000"], "tgi": ["127.0.0.1:8000:80"]
    }  # fmt: skip
    assert services["vllm"]["command"][0] == "/models/merged"
    assert all(one["volumes"] == ["..:/models:ro"] for one in services.values())


def test_the_container_file_serves_the_merged_folder_under_its_name() -> None:
    lines = containerfile("tickets").splitlines()
    assert 'COPY --chmod=a+rX merged "/models/tickets"' in lines
    assert "USER burnish" in lines
    assert lines[-1].startswith('CMD ["burnish", "serve", "--model", "/models/tickets"')
