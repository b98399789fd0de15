"""The search page, views, and what the search field offers."""
