"""RTM_*NEIGH."""
