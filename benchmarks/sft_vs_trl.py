"""Supervised fine-tuning against trl: tokens a second, memory and loss on the same rows.

python -m benchmarks.sft_vs_trl                     LoRA
python -m benchmarks.sft_vs_trl --method full       all weights
"""

from __future__ import annotations

from benchmarks.common import common_options, run_command
from benchmarks.environments import TRL
from benchmarks.inputs import answer_rows
from benchmarks.versus import Match, compare, peer_arguments, versus_parser

GOALS = {"lora": 4.5, "full": 3.5}


def main() -> None:
    parser = versus_parser(__doc__)
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    parsed = parser.parse_args()
    rows = answer_rows(common_options(parsed).work, 400)
    compare(Match(
        name=f"sft-{parsed.method}-vs-trl", peer=TRL, script="trl_sft.py", rows=rows, objective={"type": "sft"},
        method=parsed.method, rows_per_update=8, unit="tokens", goal=GOALS[parsed.method],
        peer_arguments=peer_arguments(parsed), changes=parsed.changes,
        precision=parsed.precision,
    ), parsed)  # fmt: skip


if __name__ == "__main__":
    run_command(main)
