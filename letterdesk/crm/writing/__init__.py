"""Letters that people write at a record."""
