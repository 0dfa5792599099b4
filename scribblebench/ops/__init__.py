"""What several parts of the network and its losses share."""
