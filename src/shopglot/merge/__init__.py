"""Out-of-fold scores become one scorer and one decision."""
