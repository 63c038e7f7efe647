"""Recipes: a dataclass of hyperparameters that can build what it describes."""
