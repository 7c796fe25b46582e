//! End-to-end tests of Ordermill. The tests are in `tests/`.
