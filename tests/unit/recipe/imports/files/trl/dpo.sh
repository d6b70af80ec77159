export WANDB_PROJECT=preferences
MODEL="example-org/small-500m-instruct"
LAUNCH="accelerate launch --num_processes 2"

CUDA_VISIBLE_DEVICES=0,1 $LAUNCH trl/scripts/dpo.py \
    --model_name_or_path ${MODEL} \
    --dataset_name pairs.jsonl \
    --dataset_test_split held_out \
    --learning_rate 5.0e-6 \
    --num_train_epochs 1 \
    --per_device_train_batch_size 4 \
    --gradient_accumulation_steps $(nproc) \
    --beta 0.05 \
    --label_smoothing 0.1 \
    --precompute_ref_log_probs \
    --loss_type sigmoid \
    --max_prompt_length 512 \
    --lr_scheduler_type cosine \
    --warmup_ratio 0.1 \
    --use_peft --lora_target_modules all-linear --use_rslora \
    --hub_token hf_not_shown \
    --optim adamw_8bit | tee log.txt
echo "done"
