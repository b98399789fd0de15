"""Mailboxes are connected, set, watched and shared."""
