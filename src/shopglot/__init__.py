"""Search relevance for shops that sell in many languages."""
