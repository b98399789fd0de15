"""Outbound: letters are written, go out exactly once, and stay within the plan."""
