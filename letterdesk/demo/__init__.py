"""A seeded company on an embedded mail server, for `make demo`."""
