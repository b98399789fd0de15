"""Send & Save: letters that come to secret addresses (R30)."""
