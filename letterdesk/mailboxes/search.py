"""Search: one interface over FTS5 (SQLite) and tsvector (PostgreSQL)."""

from .search_index import Indexed, forget_removed, index, rebuild, remove

__all__ = ["Indexed", "forget_removed", "index", "rebuild", "remove"]
