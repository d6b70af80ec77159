trl sft --config sft_config.yaml --learning_rate 1e-4 --accelerate_config single_gpu --frobnicate 3
