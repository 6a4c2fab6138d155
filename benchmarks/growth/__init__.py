"""What a trial costs as classes, images and epochs grow."""
