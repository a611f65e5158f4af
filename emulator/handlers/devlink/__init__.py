"""The devlink family: instances of simulated devices (net/devlink, netdevsim), and of NICs."""
