"""The look, alive: every component in both directions and both themes on one page."""
