"""The whole story on one machine, told on a terminal: `make demo`."""
