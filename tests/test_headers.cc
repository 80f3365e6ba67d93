// Compiled for the headers that its target precompiles; it holds nothing itself.
