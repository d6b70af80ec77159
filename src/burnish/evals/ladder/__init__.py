"""Several trainings of one recipe, each guarded otherwise: what each gained at the task, and what it forgot."""
