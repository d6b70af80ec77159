"""Rows that say the same: found on compact arrays, kept on one side of the split, and kept out of the test."""
