"""What handlers of several families share."""
