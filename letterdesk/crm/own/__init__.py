"""Own fields: what administrators add to contacts, companies, leads and deals (docs/decisions/0034)."""
