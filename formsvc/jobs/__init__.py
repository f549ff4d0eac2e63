"""Background work: what each kind of job does, the worker that does it, the pool that keeps workers alive."""
