"""Tables: what is asked of rows, rows that are made, how good they are, and samplers for imbalanced ones."""
