"""Tables: frames in and out, what is known of their columns, and how they become numbers (decision 013)."""
