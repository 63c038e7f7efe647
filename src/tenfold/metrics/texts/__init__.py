"""Measures of texts, each beside what fresh real texts get."""
