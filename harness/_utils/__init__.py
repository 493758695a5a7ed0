"""What every room may use and nobody outside should."""
