"""The loop, and what it needs: it knows games, and nothing of recipes."""
