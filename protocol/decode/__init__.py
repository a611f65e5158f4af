"""Any message into a tree, and into text."""
