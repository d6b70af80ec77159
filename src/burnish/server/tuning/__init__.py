"""OpenAI's fine-tuning API over runs: files, jobs, events, checkpoints, results."""
