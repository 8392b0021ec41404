"""What runs the site on a host."""
