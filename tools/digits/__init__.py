"""How the embedded benchmark was trained."""
