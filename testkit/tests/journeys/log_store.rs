//! The log store: lines of all processes in one place, and nobody's work hangs on it.
