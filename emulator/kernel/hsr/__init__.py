"""HSR and PRP beside their links: what a device knows of its ports and of other nodes, and its frames (net/hsr)."""
