"""The kinds of links, a file a kind."""
