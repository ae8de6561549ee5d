"""The commands of ``vnet``, as data, by what they are for."""
