"""What is checked and written of every message: validation, acks, extended acks, policies told."""
