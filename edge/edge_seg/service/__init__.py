"""The camera as a systemd service: the unit file, its installation, and what the process tells systemd."""
