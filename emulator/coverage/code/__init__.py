"""What the emulator's own source tells of refusals: which can come of a request, found by walking from its handler."""
