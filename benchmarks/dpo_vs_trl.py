"""Direct preference optimisation against trl: pairs a second, memory and loss on the same pairs.

python -m benchmarks.dpo_vs_trl
"""

from __future__ import annotations

from benchmarks.common import common_options, run_command
from benchmarks.environments import TRL
from benchmarks.inputs import pair_rows
from benchmarks.versus import Match, compare, peer_arguments, versus_parser

BETA = 0.1


def main() -> None:
    parser = versus_parser(__doc__)
    parser.add_argument("--peer-precompute", action="store_true",
                        help="trl computes the reference before the first step, which is then not counted")  # fmt: skip
    parsed = parser.parse_args()
    rows = pair_rows(common_options(parsed).work, 400)
    precompute = ["--precompute"] if parsed.peer_precompute else []
    compare(Match(
        name="dpo-vs-trl", peer=TRL, script="trl_dpo.py", rows=rows, objective={"type": "dpo", "beta": BETA},
        method="lora", rows_per_update=4, unit="pairs", goal=4.0,
        peer_arguments=[*peer_arguments(parsed), "--beta", str(BETA), *precompute], changes=parsed.changes,
        precision=parsed.precision,
    ), parsed)  # fmt: skip


if __name__ == "__main__":
    run_command(main)
