"""Numbers that say how good the rows of a table are; they know neither training nor recipes."""
