"""The stand-ins as Debian packages, laid out as the real ones."""
