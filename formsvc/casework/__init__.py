"""The work with cases: the rules of the procedures across fields and forms."""
