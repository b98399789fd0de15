"""Working on conversations together."""
