"""io_uring: the rings that a program makes to receive into memory of its own, and what it registers with them."""
