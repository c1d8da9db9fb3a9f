"""Quality control: is the piece in a photo that part, and where does it differ?"""
