torchrun --nproc_per_node=2 --nnodes=2 -m trl.scripts.sft \
  --model_name_or_path example-org/small-500m --dataset_name rows.csv --dataset_text_field body \
  --completion_only_loss False --logging_steps 5 --run_name "my run" --weight_decay 0.1
