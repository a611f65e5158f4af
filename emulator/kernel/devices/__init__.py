"""Network devices of whatever kind: net/core/dev.c and what is around it."""
