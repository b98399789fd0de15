"""Contacts, companies, leads and deals: made, changed, merged, listed, brought in and taken out."""
