"""IEEE 802.11p: rates, errors, reception of frames."""
