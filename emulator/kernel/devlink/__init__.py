"""What a devlink instance can have beside its ports (net/devlink): parameters, regions, reporters of health, resources,
rates, traps. A driver says which, and does what is asked of them."""
