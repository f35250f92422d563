"""How packets, calls and replies cross between a kernel and a page."""
