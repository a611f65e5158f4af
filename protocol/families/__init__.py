"""The declarations of families of messages: a file or a folder a family."""
