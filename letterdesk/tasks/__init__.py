"""Tasks: promises that people keep, with the letters that they are about (R4, R29)."""
