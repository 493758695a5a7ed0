"""Training of the embedded benchmark."""
