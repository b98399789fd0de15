"""Letters find their clients: where each stands and why, what is made of it, and how people correct it (R5–R8, R28)."""
