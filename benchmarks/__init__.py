"""vnet-tui beside its peers: each module prints ratios of medians. See README.md."""
