"""Accounts (tenants), employees, departments, roles, sign-in."""
