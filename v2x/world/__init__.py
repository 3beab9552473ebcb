"""Where can things be? Road networks in three dimensions and where they come from."""
