"""What a sweep costs beside its training."""
