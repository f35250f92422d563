"""What hosts sessions: one start and stop order for notebook, headless and later http."""
