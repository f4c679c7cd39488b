"""Where rows come from: files of known formats, and services on the network."""
