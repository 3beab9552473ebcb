"""NR sidelink: grids, control information, transport blocks, feedback."""
