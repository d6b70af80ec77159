"""What every other folder may rely on: errors, records, settings, files, the run folder, the machine."""
