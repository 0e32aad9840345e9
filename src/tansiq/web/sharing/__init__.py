"""Who will be able to see this? Asked before anything is shared, answered by what enforces it."""
