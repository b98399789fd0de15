"""Mailboxes polled for CRM alone (R30, docs/decisions/0037)."""
