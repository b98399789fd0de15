"""The search field: its language, its index on both databases, and what is kept of searches."""
