"""Why a part was found: maps, pairs, facts and sentences."""
