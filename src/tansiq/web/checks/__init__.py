"""Communication checks of other nodes: a person here says that they have seen one."""
