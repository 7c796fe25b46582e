/// Unread bytes of a payload. Every method returns `None` past the end.
pub(crate) struct Unread<'a>(pub(crate) &'a [u8]);

impl<'a> Unread<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn octet(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn short_text(&mut self) -> Option<&'a [u8]> {
        let length = self.octet()?;
        self.take(length.into())
    }

    pub(crate) fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).ok()?)
    }
}
