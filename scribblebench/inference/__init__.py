"""From a trained network to class scores at an image's own size, one way a file."""
