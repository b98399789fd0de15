"""Tests that cross rooms, and the proof rig."""
