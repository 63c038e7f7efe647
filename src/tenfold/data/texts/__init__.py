"""Texts: how words become numbers, and numbers words again."""
