"""Photographs as queries: hostile bytes in, a picture that looks like one of our views out."""
