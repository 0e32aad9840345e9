"""Who may see what, and the one way out: markings, the decision, releases."""
