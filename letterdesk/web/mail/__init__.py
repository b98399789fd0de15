"""Lists of conversations, conversations, letters, and what a reader does with them."""
