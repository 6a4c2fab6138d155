"""Ray: thin adapters between its events and search, store and lt_core."""
