"""Through the network: how messages travel over base stations, transport and servers."""
