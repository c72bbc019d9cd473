//! A map as a store: the reference for the others.
