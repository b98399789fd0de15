"""Letterdesk: team webmail joined to CRM and tasks. ARCHITECTURE.md draws the rooms."""
