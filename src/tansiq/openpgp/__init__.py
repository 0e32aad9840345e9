"""OpenPGP: certificates read and judged, bytes signed, verified, sealed and opened. The only importer of pysequoia."""
