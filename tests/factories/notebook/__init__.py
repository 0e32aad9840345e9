"""A desk of the tests' own with one marked model, installed only while a test needs it."""
