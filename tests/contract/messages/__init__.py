"""Bad input, and the exact sentence that answers it: one case per kind of mistake, at least one per error."""
