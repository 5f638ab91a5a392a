"""Files of any size are scored in little memory."""
