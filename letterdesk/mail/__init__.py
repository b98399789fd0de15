"""The mail protocols in pure Python: no Django here."""
