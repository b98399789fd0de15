"""What a person sets for themselves, and is told."""
