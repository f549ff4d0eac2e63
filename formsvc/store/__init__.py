"""What is kept: rows in a database, encrypted files beside it, logs that cannot be rewritten unnoticed."""
