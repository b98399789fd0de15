"""Team work on shared mailboxes: who takes care of a conversation, how far it is, and what the team says about it."""
