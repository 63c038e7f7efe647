"""Looking around in what a run's sampler knows."""
