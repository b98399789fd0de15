"""Benchmarks: each figure beside its peer, in the same run. `make bench`, or `make bench QUICK=1` within a minute."""
