"""How far one driver reaches."""
