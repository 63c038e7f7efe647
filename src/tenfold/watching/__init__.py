"""What watches a run: log, progress, quality, health and sheets. The engine knows none of it."""
