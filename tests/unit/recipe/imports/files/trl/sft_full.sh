#!/bin/bash
# full fine-tuning
set -e
trl sft \
    --model_name_or_path example-org/small-500m \
    --dataset_name example-org/chats \
    --learning_rate 2.0e-5 \
    --num_train_epochs 1 \
    --packing \
    --per_device_train_batch_size 2 \
    --gradient_accumulation_steps 8 \
    --gradient_checkpointing \
    --eos_token '<|im_end|>' \
    --eval_strategy steps \
    --eval_steps 100 \
    --output_dir small-500m-sft \
    --report_to none \
    --push_to_hub
