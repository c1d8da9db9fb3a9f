"""Judgements, searches kept, and how well the engines answer them."""
