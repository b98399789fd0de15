"""Letters are written and sent, and what became of them."""
