"""trl's DPOTrainer on pairs of token ids."""

from __future__ import annotations

from typing import Any

from datasets import Dataset
from meter import Meter, common_arguments, read_rows, threads
from transformers import AutoTokenizer
from trl import DPOConfig, DPOTrainer
from trl_common import load_model, load_start, lora, training_arguments

COLUMNS = ("prompt_ids", "chosen_ids", "rejected_ids")


class OnTokens(DPOTrainer):
    """DPOTrainer on rows that are token ids already."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


parser = common_arguments(__doc__)
parser.add_argument("--beta", type=float, required=True)
parser.add_argument("--precompute", action="store_true", help="reference log-probabilities before the first step")
arguments = parser.parse_args()
meter = Meter()
trainer = OnTokens(
    model=load_model(arguments),
    args=DPOConfig(**training_arguments(arguments), beta=arguments.beta, precompute_ref_log_probs=arguments.precompute),
    train_dataset=Dataset.from_list([{name: row[name] for name in COLUMNS} for row in read_rows(arguments.rows)]),
    processing_class=AutoTokenizer.from_pretrained(arguments.model),
    peft_config=lora(arguments),
    callbacks=[meter],
)
load_start(trainer, arguments)
trainer.train()
meter.write(arguments.out, threads=threads(), weights=arguments.weights, checkpointing=arguments.checkpointing,
            precomputed=arguments.precompute)  # fmt: skip
