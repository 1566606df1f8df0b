"""The queue of background work: lease, run, retry, report progress. Knows no business word."""
