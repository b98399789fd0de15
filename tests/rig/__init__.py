"""The proof rig: real and hostile mail servers, a cutting proxy, a mutator, and the oracle that judges."""
