"""What an account may do and has used."""
