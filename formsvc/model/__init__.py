"""What a form is, what an answer is, and how one becomes the other. No I/O here."""
