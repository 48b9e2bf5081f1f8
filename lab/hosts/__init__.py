"""Test hosts on one machine: each with its own root filesystem, address, systemd as PID 1 and working apt."""
