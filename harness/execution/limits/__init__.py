"""What a unit may take, and how it is stopped."""
