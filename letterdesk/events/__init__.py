"""What happened, told once: audit, reactions, live updates."""
