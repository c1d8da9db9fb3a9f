"""How dates are written in each language, where Django's own way would mislead or fill a line."""
