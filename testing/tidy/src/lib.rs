//! The rules of this repository, as tests without servers. The tests are in `tests/`.
