"""How long a user waits, and is told to."""
