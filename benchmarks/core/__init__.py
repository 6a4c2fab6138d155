"""The training core beside the loop that a user would write."""
