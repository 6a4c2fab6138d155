"""What a sweep takes beside the training that it is for, and beside a script with Ray Tune."""
