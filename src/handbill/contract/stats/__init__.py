"""Stats reports by levels, in parts or streamed: operations 49 to 51."""
