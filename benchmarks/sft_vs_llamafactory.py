"""LoRA fine-tuning against LLaMA-Factory: tokens a second, memory and loss on the same rows.

python -m benchmarks.sft_vs_llamafactory
"""

from __future__ import annotations

from benchmarks.common import common_options, run_command
from benchmarks.environments import LLAMAFACTORY
from benchmarks.inputs import answer_rows
from benchmarks.versus import Match, compare, peer_arguments, versus_parser


def main() -> None:
    parsed = versus_parser(__doc__).parse_args()
    rows = answer_rows(common_options(parsed).work, 400)
    compare(Match(
        name="sft-lora-vs-llamafactory", peer=LLAMAFACTORY, script="llamafactory_sft.py", rows=rows,
        objective={"type": "sft"}, method="lora", rows_per_update=8, unit="tokens", goal=4.0,
        peer_arguments=peer_arguments(parsed), changes=parsed.changes,
        precision=parsed.precision,
    ), parsed)  # fmt: skip


if __name__ == "__main__":
    run_command(main)
