"""Whom does early stopping stop? Full curves of random configurations, and ASHA replayed on them."""
