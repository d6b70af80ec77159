"""A judge at an address decides a whole evaluation; an interruption costs no reply twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

from burnish.core.files import read_json, read_jsonl
from tests.cli.run_cli import burnish
from tests.serving import Said, Seen, chat_answer, http_server

ANSWER = re.compile(r"^\[\w{16} answer [AB]\]\n(.*?)\n\[\w{16} end of answer [AB]\]$", re.M | re.S)


def longer(request: Seen) -> Said:
    """Prefers the longer answer, and never looks where it stands."""
    first, second = map(len, ANSWER.findall(request.body["messages"][0]["content"]))
    return chat_answer("C" if first == second else "A" if first > second else "B")


def test_the_judge_decides_goes_on_and_is_worked_out_again(tiny_folder: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"tell me of {n}", "completion": f"the sky of {n} is blue"} for n in range(100)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    replies = 0

    def fails_at_20(request: Seen) -> Said:
        nonlocal replies
        replies += 1
        return Said({"error": "gone"}, status=410) if replies == 20 else longer(request)

    with http_server(fails_at_20) as (address, seen):
        (tmp_path / "recipe.yaml").write_text(
            f"model: {tiny_folder}\n"
            "data: {train: rows.jsonl, test_share: 0.3}\n"
            "adapt: full\n"
            "train: {steps: 60, learning_rate: 0.005}\n"
            "evaluate:\n"
            "  metric: judge\n"
            f"  judge: {{model: m, address: '{address}', repeat: 3, concurrent: 1}}\n"
            "  opponents: [base]\n"
            "  retention: off\n"
            "  max_new_tokens: 12\n"
        )
        command = ("evaluate", tmp_path / "recipe.yaml", "--out", tmp_path)
        stopped = burnish(*command)
        assert stopped.code == 3, stopped.err
        assert "The server refuses to answer" in stopped.err
        kept = (tmp_path / "recipe" / "judged.jsonl").read_text().count("\n")
        assert kept == 16
        before = len(seen)
        done = burnish(*command)
        assert done.code == 0, done.err
        lines = read_jsonl(tmp_path / "recipe" / "judged.jsonl")
        asked = [line for line in lines if line["order"] != "equal answers"]
        assert len(seen) - before == len(asked) - sum(line["order"] != "equal answers" for line in lines[:16])
        assert "done before" in burnish(*command).out
    verdict = read_json(tmp_path / "recipe" / "verdict.json")
    assert verdict["task"]["metric"] == "judged"
    assert verdict["judged"]["able"]
    assert verdict["judged"]["agreement"]["longer_share"] == 1.0
    assert verdict["judged"]["agreement"]["repeated_same"] == 3
    again = burnish("verdict", "recipe", "--recompute", "--out", tmp_path)
    assert again.code == 0, again.err
    other = burnish(*command, "--set", "evaluate.judge.criteria=Brevity.")
    assert other.code == 2
    assert "evaluate.judge.criteria" in other.err
