"""Speed and quality beside peers, in one run; every figure of the documentation is printed here."""
