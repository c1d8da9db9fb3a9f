"""Which engines are in use, and how another one takes their place without losing a search."""
