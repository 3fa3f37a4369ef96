"""How clients are served: the host's loop, connections, sessions, and dispatch."""
