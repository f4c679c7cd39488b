"""How a trade comes out when it executes, some time after it was planned."""
