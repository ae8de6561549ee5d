"""What ``vnetd`` and its clients agree on: varlink messages, made from the types of the API."""

INTERFACE = "io.vnet.Manager"
"""The name of the varlink interface."""
