"""Product-free building blocks without models."""
