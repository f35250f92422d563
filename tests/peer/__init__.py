"""A differential test against the original package: the same signatures and payloads on both sides."""
