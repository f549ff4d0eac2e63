"""The API: what programs can do for the person whose token they carry, under `/api/v1`."""
