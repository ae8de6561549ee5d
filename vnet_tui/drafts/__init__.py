"""Edits that aren't applied yet: definitions being changed, apart from any screen."""
