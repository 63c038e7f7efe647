"""Who plays, in which turns: one game per file."""
