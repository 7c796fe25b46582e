//! Pairs: the model's orders, processes and workers.

use std::ops::{Index, IndexMut};

/// The index of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Nth {
    /// The first.
    First,
    /// The second.
    Second,
}

impl Nth {
    /// Both indexes.
    pub const BOTH: [Nth; 2] = [Nth::First, Nth::Second];

    /// The other index.
    pub fn other(self) -> Nth {
        match self {
            Nth::First => Nth::Second,
            Nth::Second => Nth::First,
        }
    }
}

/// A pair, indexed by [`Nth`], so that no access can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Two<T> {
    first: T,
    second: T,
}

impl<T: Copy> Two<T> {
    /// A pair of equal elements.
    pub fn of(each: T) -> Two<T> {
        Two { first: each, second: each }
    }

    /// The pair in reverse order.
    #[must_use]
    pub fn swapped(self) -> Two<T> {
        Two { first: self.second, second: self.first }
    }

    /// The pair in ascending order.
    #[must_use]
    pub fn sorted(self) -> Two<T>
    where
        T: Ord,
    {
        if self.first <= self.second { self } else { self.swapped() }
    }

    /// Both elements.
    pub fn both(self) -> [T; 2] {
        [self.first, self.second]
    }
}

impl<T> Index<Nth> for Two<T> {
    type Output = T;

    fn index(&self, nth: Nth) -> &T {
        match nth {
            Nth::First => &self.first,
            Nth::Second => &self.second,
        }
    }
}

impl<T> IndexMut<Nth> for Two<T> {
    fn index_mut(&mut self, nth: Nth) -> &mut T {
        match nth {
            Nth::First => &mut self.first,
            Nth::Second => &mut self.second,
        }
    }
}
