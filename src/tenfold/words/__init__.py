"""Words: texts that are made, texts that are made of others, and how good both are."""
