"""RTM_*MDB."""
