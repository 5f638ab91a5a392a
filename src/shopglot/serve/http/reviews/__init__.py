"""What people decide about suspected labels."""
