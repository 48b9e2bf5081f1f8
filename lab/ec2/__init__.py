"""An EC2 for tests and demonstrations: moto behind a shim that enforces what the real service enforces."""
