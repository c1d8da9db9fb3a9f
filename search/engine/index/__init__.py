"""Find the parts nearest to a query in one space: immutable snapshot files plus a tail in memory.

Knows arrays, files and sequence numbers; must not know the database, engines or settings.
Doors import the modules below lazily: faiss and numba are only paid for by those who search.
"""
