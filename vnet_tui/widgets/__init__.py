"""Widgets that more than one screen uses, or that are a thing of their own."""
