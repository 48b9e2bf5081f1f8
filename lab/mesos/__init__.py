"""Real Apache Mesos 1.11.0 for the lab: built, packed as a .deb, and started as clusters on loopback."""
