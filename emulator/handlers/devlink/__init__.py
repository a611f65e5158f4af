"""The devlink family: simulated devices are the only ones with a devlink instance here (net/devlink, netdevsim)."""
