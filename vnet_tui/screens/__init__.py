"""The full-screen views, one file a screen."""
