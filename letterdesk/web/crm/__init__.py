"""CRM's pages, and what they say of CRM elsewhere."""
