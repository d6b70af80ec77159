"""trl's SFTTrainer on rows of token ids."""

from __future__ import annotations

from datasets import Dataset
from meter import Meter, common_arguments, read_rows, threads
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer
from trl_common import load_model, load_start, lora, training_arguments

arguments = common_arguments(__doc__).parse_args()
rows = [
    {"input_ids": row["ids"], "labels": [i if m else -100 for i, m in zip(row["ids"], row["learnt"], strict=True)]}
    for row in read_rows(arguments.rows)
]
meter = Meter()
trainer = SFTTrainer(
    model=load_model(arguments),
    args=SFTConfig(**training_arguments(arguments), packing=False),
    train_dataset=Dataset.from_list(rows),
    processing_class=AutoTokenizer.from_pretrained(arguments.model),
    peft_config=lora(arguments),
    callbacks=[meter],
)
load_start(trainer, arguments)
trainer.train()
meter.write(arguments.out, threads=threads(), weights=arguments.weights, checkpointing=arguments.checkpointing)
