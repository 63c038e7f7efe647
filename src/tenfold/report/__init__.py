"""Pictures of a run: sheets of samples and curves of the log."""
