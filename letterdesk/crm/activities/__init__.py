"""Letters, notes and calls as a client's history: looked through, read, put away."""
