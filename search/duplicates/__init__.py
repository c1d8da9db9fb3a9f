"""Parts that are the same thing twice: pairs, dismissals, the notice at upload."""
