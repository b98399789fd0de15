"""What a person is told: in the page, by an e-mail digest, by push. References, never copies of letters."""
