"""What power arrives? Link states, path loss, shadowing and the table of links."""
