"""Numbers that say how good samples are; they know neither training nor recipes."""
