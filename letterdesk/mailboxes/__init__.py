"""The store: mailboxes, folders, conversations, messages, and who may see them."""
