"""The analyses as commands, one file each; ``harness analyse`` is made of them."""
