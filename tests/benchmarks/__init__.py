"""`make bench`: this project beside what a user would pick instead, in one run. Prints; asserts nothing."""
