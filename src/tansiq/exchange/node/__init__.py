"""One node's work on its database: what the engine decides, stored. Each function is a transaction, or part of one."""
