"""Debian packages with the names and files of the real ones, holding the lab's daemons."""
