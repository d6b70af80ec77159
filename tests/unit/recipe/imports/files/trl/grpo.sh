trl grpo --model_name_or_path example-org/small-500m --dataset_name example-org/sums --reward_funcs accuracy_reward --num_generations 8 --use_vllm
