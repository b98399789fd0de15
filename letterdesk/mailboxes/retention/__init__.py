"""How long letters stay, what removes them, what holds them, and the proof of it (R9, R10, R20)."""
