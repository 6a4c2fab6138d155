"""What a step trains on: samplers, augmentation, mixing, noise refill."""
