"""Records and letters in CRM, found by the one search field (docs/decisions/0035)."""
