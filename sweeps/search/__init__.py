"""What runs next, and why: knows no Ray."""
