"""Compiled kernels; sources in ext/, documented by the stubs beside the binaries."""
