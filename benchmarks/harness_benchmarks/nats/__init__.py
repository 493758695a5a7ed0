"""NATS-Bench: the topology space (NAS-Bench-201), the size space, and costs measured on devices."""
