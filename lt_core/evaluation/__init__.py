"""What a model is judged by: inference, metrics, post-hoc adjustment."""
