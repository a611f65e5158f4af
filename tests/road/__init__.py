"""The road to a leased queue in one piece, as the programs that configure containers' networks go it."""
