"""The server equals our copy: watching, pulling, pushing."""
