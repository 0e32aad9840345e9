"""One module a feed format. Each declares ``FEED``; ``feeds.catalogue`` lists them."""
