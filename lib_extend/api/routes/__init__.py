"""The routes, one file a subject; each has its `routes`, by which it is found."""
