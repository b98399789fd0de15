"""Settings and the entrance pages: URLs, reactions, schedule."""
