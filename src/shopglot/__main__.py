"""`python -m shopglot` is the command line."""

from shopglot.cli import main

if __name__ == "__main__":
    main()
