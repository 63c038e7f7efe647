"""Series: what changes with time, from long frames or arrays to rows as networks see them, and back.

Importing this imports neither torch nor pandas; only encoding does, and reading frames.
"""
